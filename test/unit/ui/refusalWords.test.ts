import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import { commandEntries } from '../../../src/ui/commands/commandTable';
import { wordRefusal } from '../../../src/ui/landing/refusalWords';

const refused = (code: string, hasConflict = false) =>
  wordRefusal('Round totals', new UserError(code, 'The two change a.ts.'), hasConflict);
const offered = (code: string, hasConflict = false): string[] | undefined =>
  refused(code, hasConflict)?.buttons.map(({ command }) => command);

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
        beyond: offered('conflict-beyond'),
      },
      {
        conflict: ['airlock.sendBackConflict', 'airlock.copyBranchName'],
        check: ['airlock.showDetails', 'airlock.retryTask'],
        overwrites: ['workbench.view.scm', 'airlock.accept'],
        moved: ['airlock.accept'],
        empty: ['airlock.openChanges', 'airlock.discard'],
        detached: ['airlock.acceptOnto'],
        beyond: ['airlock.sendBackConflict', 'airlock.copyBranchName'],
      },
    );
    assert.ok(commandEntries.has('airlock.acceptOnto'));
  });

  it('offer the merge editor where the conflict can be resolved by hand', () => {
    assert.deepEqual(offered('landing-conflict', true), ['airlock.resolveConflict', 'airlock.sendBackConflict']);
    assert.deepEqual(offered('landing-check-failed', true), ['airlock.showDetails', 'airlock.resolveConflict']);
    assert.deepEqual(offered('landing-overwrites', true), ['workbench.view.scm', 'airlock.landResolved']);
  });

  it('leave to others what is no refusal', () => {
    assert.deepEqual(
      [refused('disk-full'), wordRefusal('t', new Error('landing-conflict'), true)],
      [undefined, undefined],
    );
  });
});
