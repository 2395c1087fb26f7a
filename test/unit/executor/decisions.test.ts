import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import { SourceUnreachableError } from '../../../src/core/source';
import { LaneGovernor } from '../../../src/executor/laneGovernor';
import { treatmentOf } from '../../../src/executor/retryPolicy';
import { taskIdFor } from '../../../src/executor/taskIds';
import { taskIdSchema } from '../../../src/core/ids';
import { FakeClock, settle } from '../../fakes/clock';

describe('the treatment of an error', () => {
  const rows: [string, unknown, ReturnType<typeof treatmentOf>][] = [
    ['a refused key waits for the user', new UserError('model-key-refused', 'x'), 'wait'],
    ['a missing jail waits for the user', new UserError('jail-unavailable', 'x'), 'wait'],
    ['a full disk pauses the queue', new UserError('disk-full', 'x'), 'pause'],
    ['a full disk of the system pauses the queue', Object.assign(new Error('x'), { code: 'ENOSPC' }), 'pause'],
    ['a bad request fails', new UserError('model-request-refused', 'x'), 'fail'],
    [
      'what says that it may pass is tried again',
      new UserError('model-unreachable', 'x', { retryable: true }),
      'retry',
    ],
    ['a source that is away is tried again', new SourceUnreachableError('x'), 'retry'],
    ['what nobody foresaw is tried again', new TypeError('x'), 'retry'],
  ];
  for (const [title, error, expected] of rows) it(title, () => assert.equal(treatmentOf(error), expected));
});

describe('the id of a task of a source', () => {
  it('is the source’s own where that is safe', () => {
    assert.equal(taskIdFor({ sourceId: 'z', externalId: 'fix-cart-12' }), 'fix-cart-12');
  });

  it('is safe in a branch and a file name whatever the source says, and never the same for two', () => {
    const nasty = [
      '../../etc',
      'A',
      'a',
      'Ünïcode',
      '-rf',
      'a..b',
      'x.lock',
      '@{',
      ' ',
      '\u0000',
      'a/b',
      'a b',
      'z'.repeat(500),
    ];
    const ids = nasty.map((externalId) => taskIdFor({ sourceId: 'z', externalId }));
    for (const id of ids) assert.ok(taskIdSchema.safeParse(id).success, id);
    assert.equal(new Set(ids).size, nasty.length);
  });
});

describe('a lane', () => {
  it('holds everybody until its time has come', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    lanes.hold('a', clock.nowMs() + 5000, 'rate limit');
    let free = false;
    const waiting = lanes.waitUntilFree('a', new AbortController().signal).then(() => (free = true));
    await clock.advance(4999);
    assert.deepEqual([free, lanes.heldBecause('a'), lanes.heldBecause('b')], [false, 'rate limit', undefined]);
    await clock.advance(1);
    await waiting;
    assert.equal(lanes.heldBecause('a'), undefined);
  });

  it('is never held longer than five minutes, whatever a server asks for', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    lanes.hold('a', clock.nowMs() + 86_400_000, 'absurd');
    await clock.advance(5 * 60_000);
    assert.equal(lanes.heldBecause('a'), undefined);
  });

  it('is not freed and not frozen by a jump of the wall clock', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    lanes.hold('a', clock.nowMs() + 5000, 'rate limit');
    clock.jump(86_400_000);
    assert.equal(lanes.heldBecause('a'), 'rate limit');
    clock.jump(-2 * 86_400_000);
    await clock.advance(5000);
    assert.equal(lanes.heldBecause('a'), undefined);
  });

  it('lets go of a run that is being ended', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    lanes.hold('a', clock.nowMs() + 5000, 'rate limit');
    const ending = new AbortController();
    const waiting = lanes.waitUntilFree('a', ending.signal);
    ending.abort();
    await assert.rejects(waiting, { name: 'CancelledError' });
    await settle();
    assert.equal(clock.pendingTimers, 0);
  });
});
