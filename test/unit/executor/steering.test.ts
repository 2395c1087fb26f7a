import assert from 'node:assert/strict';
import type { EventBody } from '../../../src/core/events';
import { isIdle } from '../../../src/core/idle';
import { Steering } from '../../../src/executor/steering';
import { compareTasks } from '../../../src/executor/taskOrder';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { queued, sampleDigest } from '../core/sampleEvents';

describe('the user steers the queue', () => {
  let log: MemoryLog;
  let steering: Steering;
  let interrupted: string[];
  beforeEach(async () => {
    log = new MemoryLog(new FakeClock());
    interrupted = [];
    steering = new Steering(
      { events: log },
      {
        withhold: (_taskId, action) => action(),
        interrupt: (taskId, interruption) => Promise.resolve(void interrupted.push(`${taskId} ${interruption}`)),
      },
    );
    // All at the same moment, as one offer comes in.
    await log.append(['a', 'b', 'c', 'd'].map((id) => queued(id, { origin: { sourceId: 'far', externalId: id } })));
  });

  const order = (): string =>
    [...log.state.tasks.values()]
      .sort(compareTasks)
      .map(({ id }) => id)
      .join(' ');

  it('by moving a task before another one, or behind all others', async () => {
    await steering.moveTask('d', 'b');
    assert.equal(order(), 'a d b c');
    await steering.moveTask('c', 'a');
    assert.equal(order(), 'c a d b');
    await steering.moveTask('c', null);
    assert.equal(order(), 'a d b c');
    await steering.moveTask('a', 'a').catch(() => {});
    for (let times = 0; times < 50; times += 1) await steering.moveTask(times % 2 === 0 ? 'c' : 'b', 'd');
    assert.equal(order(), 'a c b d');
  });

  it('by giving another priority, which is another place', async () => {
    await steering.moveTask('d', 'a');
    await log.append([{ kind: 'task.changed', taskId: 'd', repo: '/home/dev/project', priority: 3 }]);
    assert.equal(order(), 'a b c d');
  });

  it('by holding one task back until it is resumed', async () => {
    await steering.pauseTask('a');
    const task = log.state.tasks.get('a');
    assert.deepEqual(
      [interrupted, task?.status, task?.waitingOn, task?.reason, task?.paused],
      [['a stop'], 'waiting', 'user', 'The user paused it.', true],
    );
    await assert.rejects(steering.pauseTask('a'), { code: 'wrong-state' });
    await steering.resumeTask('a');
    assert.deepEqual([task?.status, task?.paused], ['queued', undefined]);
    await assert.rejects(steering.resumeTask('a'), { code: 'wrong-state' });
  });

  it('by sending a dead report again', async () => {
    await assert.rejects(steering.retryReport('a'), { code: 'no-dead-report' });
    const named = { taskId: 'a', reportId: 'a/1' };
    const report = { ...named, sourceId: 'far', externalId: 'a', kind: 'fail' as const, body: sampleDigest };
    const bodies: EventBody[] = [
      { kind: 'report.queued', report },
      { kind: 'report.sending', ...named, attempt: 1 },
      { kind: 'report.dead', ...named, error: 'no such task' },
    ];
    await log.append(bodies);
    await steering.retryReport('a');
    const revived = log.state.reports.get('a/1');
    // Its attempts stay: the source may have had it, and is read before it is told again.
    assert.deepEqual([revived?.status, revived?.attempts, revived?.retryAtMs], ['waiting', 1, 0]);
  });

  it('by pausing a source, whose queued tasks then keep nobody from being idle', async () => {
    await assert.rejects(steering.pauseSource('far'), { code: 'unknown-source' });
    await log.append([{ kind: 'source.changed', sourceId: 'far', healthy: true, message: '' }]);
    assert.equal(isIdle(log.state), false);
    await steering.pauseSource('far');
    await steering.pauseSource('far');
    assert.deepEqual([isIdle(log.state), [...log.state.pausedSources]], [true, ['far']]);
    await steering.resumeSource('far');
    assert.deepEqual([isIdle(log.state), [...log.state.pausedSources]], [false, []]);
    assert.equal(log.kinds.filter((kind) => kind === 'source.paused').length, 2);
  });
});
