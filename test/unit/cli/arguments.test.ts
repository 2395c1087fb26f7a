import assert from 'node:assert/strict';
import { Command } from 'commander';
import { numberFrom } from '../../../src/cli/arguments';
import { addEngineOptions } from '../../../src/cli/engineFlags';

describe('a number of the command line', () => {
  it('lies between two others, which it may be', () => {
    assert.deepEqual(['0', '0.5', '1e2', '100'].map(numberFrom(0, 100)), [0, 0.5, 100, 100]);
    for (const text of ['', ' ', '-1', '101', 'NaN', 'Infinity', '1,5', 'many'])
      assert.throws(() => numberFrom(0, 100)(text), /It must be a number from 0 to 100\./, text);
  });

  it('is whole where it counts something', () => {
    assert.equal(numberFrom(1, 50, 'whole')('50'), 50);
    for (const text of ['', '0', '1.5', '51'])
      assert.throws(() => numberFrom(1, 50, 'whole')(text), /It must be a whole number from 1 to 50\./, text);
  });

  it('is at least as much for a context window as in the setting', () => {
    const command = addEngineOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }));
    for (const text of ['0.5', '999', '1000.5'])
      assert.throws(() => command.parse(['--context-tokens', text], { from: 'user' }), /from 1000 to/);
    assert.equal(command.parse(['--context-tokens', '1000'], { from: 'user' }).opts()['contextTokens'], 1000);
  });
});
