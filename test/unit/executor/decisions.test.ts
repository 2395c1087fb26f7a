import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import type { LaneAllowance } from '../../../src/core/engine';
import { readAllowances } from '../../../src/engines/anthropic/allowances';
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
    ['a storage that takes no writes pauses the queue', new UserError('storage-unwritable', 'x'), 'pause'],
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

  const told = (clock: FakeClock, remaining: number): LaneAllowance[] => [
    { of: 'requests', limit: 50, remaining, resetMs: clock.nowMs() + 60_000 },
  ];
  const never = new AbortController().signal;

  it('is not asked more often than its server allows, before that says no', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    lanes.told('a', told(clock, 2));
    let sent = 0;
    const all = [1, 2, 3].map(() => lanes.waitUntilFree('a', never).then(() => (sent += 1)));
    const seen: number[] = [];
    for (const byMs of [0, 29_999, 1, 29_999, 1]) {
      await clock.advance(byMs);
      seen.push(sent);
    }
    // The last two are spread over the minute, and the third one waits for its end.
    assert.deepEqual(seen, [1, 1, 2, 2, 3]);
    await Promise.all(all);
    assert.equal(clock.pendingTimers, 0);
  });

  it('is not slowed down while there is plenty, and nobody else’s lane is', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    lanes.told('a', told(clock, 40));
    for (let times = 0; times < 30; times += 1) await lanes.waitUntilFree('a', never);
    lanes.told('a', told(clock, 0));
    await lanes.waitUntilFree('b', never);
    assert.equal(lanes.heldBecause('a'), 'What the model server allows for now is used up.');
  });

  it('waits for tokens too, but a request that is larger than all there is goes when all is there', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    const resetMs = clock.nowMs() + 10_000;
    lanes.told('a', [{ of: 'inputTokens', limit: 30_000, remaining: 20_000, resetMs }]);
    const sent: string[] = [];
    await lanes.waitUntilFree('a', never, 5_000);
    void lanes.waitUntilFree('a', never, 90_000).then(() => sent.push('large'));
    await clock.advance(9_999);
    assert.deepEqual(sent, []);
    await clock.advance(1);
    assert.deepEqual(sent, ['large']);
  });

  it('goes round in the order of asking, and who is ended meanwhile holds up nobody', async () => {
    const clock = new FakeClock();
    const lanes = new LaneGovernor(clock);
    lanes.hold('a', clock.nowMs() + 5000, 'rate limit');
    const order: string[] = [];
    const ending = new AbortController();
    const first = lanes.waitUntilFree('a', never).then(() => order.push('first'));
    const ended = lanes.waitUntilFree('a', ending.signal);
    const last = lanes.waitUntilFree('a', never).then(() => order.push('last'));
    ending.abort();
    await assert.rejects(ended, { name: 'CancelledError' });
    await clock.advance(5000);
    await Promise.all([first, last]);
    assert.deepEqual(order, ['first', 'last']);
  });
});

describe('what a server says of its limits', () => {
  it('is read from its headers, and nonsense says nothing', () => {
    const headers = new Headers({
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': '2026-01-05T12:00:30Z',
      'anthropic-ratelimit-input-tokens-remaining': '1000',
      'anthropic-ratelimit-input-tokens-reset': '2026-01-05T12:01:00Z',
      'anthropic-ratelimit-output-tokens-remaining': '-5',
      'anthropic-ratelimit-output-tokens-reset': 'soon',
    });
    assert.deepEqual(readAllowances(headers), [
      { of: 'requests', limit: 50, remaining: 49, resetMs: Date.UTC(2026, 0, 5, 12, 0, 30) },
      { of: 'inputTokens', limit: null, remaining: 1000, resetMs: Date.UTC(2026, 0, 5, 12, 1) },
    ]);
  });
});
