import assert from 'node:assert/strict';
import { mayForget, neededBlobs } from '../../../src/core/dataDeletion';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted } from './sampleEvents';

const digest = (letter: string): string => letter.repeat(64);

describe('private data of tasks', () => {
  it('may be deleted when they are over for long enough, and not before', async () => {
    const clock = new FakeClock();
    const log = new MemoryLog(clock);
    await log.append([queued('open'), queued('over')]);
    await log.append([{ kind: 'task.ended', taskId: 'over', outcome: 'failed', reason: '', runId: null }]);
    const endedMs = clock.nowMs();
    await clock.advance(1000);
    const found = (beforeMs: number): string[] =>
      [...log.state.tasks.values()].filter((task) => mayForget(task, beforeMs)).map(({ id }) => id);
    assert.deepEqual([found(endedMs - 1), found(endedMs), found(clock.nowMs())], [[], ['over'], ['over']]);
  });

  it('is needed as long as anything names it that stays', async () => {
    const log = new MemoryLog(new FakeClock());
    await log.append([
      queued('a'),
      queued('b'),
      runStarted('run-a', 'a'),
      runStarted('run-b', 'b'),
      { kind: 'message.recorded', runId: 'run-a', index: 0, role: 'user', blob: digest('1') },
      { kind: 'message.recorded', runId: 'run-b', index: 0, role: 'user', blob: digest('2') },
      { kind: 'tool.called', runId: 'run-b', callId: 'c', name: 'bash', summary: '' },
      { kind: 'tool.finished', runId: 'run-b', callId: 'c', ok: true, output: digest('3'), durationMs: 1 },
      {
        kind: 'report.queued',
        report: {
          ...{ reportId: 'r', taskId: 'a', sourceId: 's', externalId: 'x', kind: 'fail' },
          body: digest('4'),
        },
      },
    ]);
    const needed = (...forgotten: string[]): string[] =>
      ['1', '2', '3', '4'].filter((name) => neededBlobs(log.state, new Set(forgotten)).has(digest(name)));
    assert.deepEqual(
      [needed(), needed('a'), needed('b'), needed('a', 'b')],
      [['1', '2', '3', '4'], ['2', '3', '4'], ['1', '4'], ['4']],
    );
  });
});
