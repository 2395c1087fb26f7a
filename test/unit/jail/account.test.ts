import assert from 'node:assert/strict';
import { accountIds, idOfAccount, parseIdMap } from '../../../src/jail/account';

describe('the host id of an account', () => {
  const wholeHost = parseIdMap('         0          0 4294967295\n');

  it('comes from a range that no user, service or container has', () => {
    assert.deepEqual(accountIds(wholeHost), { first: 0x70000000, count: 0x0ffe0000 });
  });

  it('is always the same for a name, and another for another name', () => {
    const ids = { first: 0x70000000, count: 0x0ffe0000 };
    const names = Array.from({ length: 1000 }, (_, index) => `run-${index}`);
    const first = names.map((name) => idOfAccount(name, ids));
    assert.deepEqual(
      first,
      names.map((name) => idOfAccount(name, ids)),
    );
    assert.equal(new Set(first).size, names.length);
    assert.ok(first.every((id) => id >= 0x70000000 && id < 0x7ffe0000));
  });

  it('comes from what a small container has, above its users and below nobody', () => {
    assert.deepEqual(accountIds(parseIdMap('0 100000 65536')), { first: 20_000, count: 45_534 });
  });

  it('is not to be had where there are too few', () => {
    assert.equal(accountIds(parseIdMap('0 1000 1\n1 100000 10000')), undefined);
    assert.equal(accountIds([]), undefined);
  });
});
