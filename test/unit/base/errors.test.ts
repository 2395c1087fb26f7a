import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { systemCodeOf, UserError } from '../../../src/base/errors';

describe('the code of a system error', () => {
  it('is that of the system, and never one of ours', () => {
    const missing = (() => {
      try {
        return readFileSync('/nowhere/at/all');
      } catch (error) {
        return error;
      }
    })();
    assert.equal(systemCodeOf(missing), 'ENOENT');
    assert.equal(systemCodeOf(new UserError('disk-full', 'There is no room.')), undefined);
    assert.equal(systemCodeOf('ENOENT'), undefined);
  });
});
