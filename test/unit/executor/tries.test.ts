import assert from 'node:assert/strict';
import { Tries } from '../../../src/executor/tries';
import { queued, runStarted } from '../core/sampleEvents';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';

describe('trying a task again that waits', () => {
  const requeued = { kind: 'task.requeued', taskId: 'a', reason: '', notBeforeMs: 0 } as const;

  /** @param leave What becomes of the run that is interrupted. */
  async function retried(leave: (log: MemoryLog) => Promise<unknown>): Promise<string[]> {
    const log = new MemoryLog(new FakeClock());
    await log.append([
      queued('a'),
      runStarted('run-a', 'a'),
      { kind: 'task.waiting', taskId: 'a', on: 'user', reason: 'Approve it.' },
    ]);
    const before = log.events.length;
    const dispatcher = {
      isWorking: () => true,
      interrupt: async () => void (await leave(log)),
      runSoon: () => {},
    };
    await new Tries({ events: log }, dispatcher, { releaseAll: () => {} }).retry('a');
    assert.equal(log.state.tasks.get('a')?.status, 'queued');
    return log.kinds.slice(before);
  }

  it('is left to its run, which goes back into the queue', async () => {
    assert.deepEqual(await retried((log) => log.append([{ ...requeued }])), ['task.requeued']);
  });

  it('is not lost when its run was being left already', async () => {
    assert.deepEqual(await retried(() => Promise.resolve()), ['task.requeued']);
  });
});
