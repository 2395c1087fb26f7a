import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { EventBody } from '../../../src/core/events';
import { RunClock } from '../../../src/executor/runClock';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted } from '../core/sampleEvents';

const minuteMs = 60_000;

describe('the time of a run', () => {
  let clock: FakeClock;
  let log: MemoryLog;
  let over: number;
  beforeEach(async () => {
    clock = new FakeClock();
    log = new MemoryLog(clock);
    over = 0;
    await log.append([queued('task-a'), runStarted('run-a', 'task-a')]);
  });

  const begin = (): RunClock =>
    new RunClock({ events: log, clock, logger: silentLogger }, 'run-a', 10 * minuteMs, () => (over += 1));
  const phase = (name: 'working' | 'checking'): EventBody => ({ kind: 'run.phase', runId: 'run-a', phase: name });

  it('is over once it is used up, and no timer is left', async () => {
    const runClock = begin();
    await clock.advance(10 * minuteMs - 1);
    assert.equal(over, 0);
    await clock.advance(1);
    assert.equal(over, 1);
    await runClock.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  const standsStill: [string, EventBody[], EventBody[]][] = [
    ['its checks run', [phase('checking')], [phase('working')]],
    [
      'it waits for its lane',
      [{ kind: 'task.waiting', taskId: 'task-a', on: 'lane', reason: 'busy' }],
      [{ kind: 'task.resumed', taskId: 'task-a' }],
    ],
  ];
  for (const [when, begins, ends] of standsStill) {
    it(`stands still while ${when}`, async () => {
      const runClock = begin();
      await clock.advance(4 * minuteMs);
      await log.append(begins);
      await clock.advance(600 * minuteMs);
      await log.append(ends);
      await clock.advance(6 * minuteMs - 1);
      assert.equal(over, 0);
      await clock.advance(1);
      assert.equal(over, 1);
      await runClock.stop();
    });
  }

  it('goes on after a restart with what was used, and loses at most a minute to a crash', async () => {
    const first = begin();
    await clock.advance(3 * minuteMs);
    clock.jump(3 * 24 * 60 * minuteMs);
    await first.stop();
    assert.equal(log.state.runs.get('run-a')?.usedMs, 3 * minuteMs);
    begin();
    await clock.advance(4.5 * minuteMs);
    assert.equal(log.state.runs.get('run-a')?.usedMs, 7 * minuteMs);
    const afterCrash = new MemoryLog(clock);
    await afterCrash.append(log.events);
    new RunClock({ events: afterCrash, clock, logger: silentLogger }, 'run-a', 10 * minuteMs, () => (over += 1));
    await clock.advance(3 * minuteMs);
    assert.equal(over >= 1, true);
  });

  it('keeps nothing of a run that has ended', async () => {
    const runClock = begin();
    await clock.advance(30_000);
    await log.append([{ kind: 'run.ended', runId: 'run-a', outcome: 'unchecked', reason: '' }]);
    await runClock.stop();
    assert.equal(log.kinds.includes('run.timed'), false);
  });
});
