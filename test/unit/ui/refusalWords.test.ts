import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import { commandEntries } from '../../../src/ui/commands/commandTable';
import { wordRefusal } from '../../../src/ui/landing/refusalWords';

const refused = (code: string) => wordRefusal('Round totals', new UserError(code, 'The two change a.ts.'));
const offered = (code: string): string[] | undefined => refused(code)?.buttons.map(({ command }) => command);

describe('the words for a result that is not accepted', () => {
  it('say which result it is and what is in the way', () => {
    assert.equal(refused('landing-conflict')?.message, '“Round totals” is not accepted. The two change a.ts.');
  });

  it('offer what can be done about it', () => {
    assert.deepEqual(
      {
        conflict: offered('landing-conflict'),
        check: offered('landing-check-failed'),
        overwrites: offered('landing-overwrites'),
        moved: offered('landing-moved'),
        empty: offered('landing-empty'),
        detached: offered('landing-detached'),
      },
      {
        conflict: ['airlock.sendBackConflict', 'airlock.openChanges', 'airlock.copyBranchName'],
        check: ['airlock.showDetails', 'airlock.retryTask'],
        overwrites: ['workbench.view.scm', 'airlock.accept'],
        moved: ['airlock.accept'],
        empty: ['airlock.openChanges', 'airlock.discard'],
        detached: ['airlock.acceptOnto'],
      },
    );
    assert.ok(commandEntries.has('airlock.acceptOnto'));
  });

  it('leave to others what is no refusal', () => {
    assert.deepEqual([refused('disk-full'), wordRefusal('t', new Error('landing-conflict'))], [undefined, undefined]);
  });
});
