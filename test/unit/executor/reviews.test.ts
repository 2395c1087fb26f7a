import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { EventBody } from '../../../src/core/events';
import { isIdle } from '../../../src/core/idle';
import type { NewTask } from '../../../src/core/task';
import { Intake } from '../../../src/executor/intake';
import type { ExecutorPorts } from '../../../src/executor/ports';
import { Reviews } from '../../../src/executor/reviews';
import { FakeClock, settle } from '../../fakes/clock';
import { MemoryBlobs, MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted, sampleCommit, sampleDigest, usageRecorded } from '../core/sampleEvents';

describe('reviews of results', () => {
  let log: MemoryLog;
  let added: NewTask[];
  let reviews: Reviews | undefined;
  beforeEach(async () => {
    log = new MemoryLog(new FakeClock());
    added = [];
    await log.append([queued('task-a', { limits: { approvals: 'ask' } }), runStarted('run-a', 'task-a')]);
    const published = { branch: 'airlock/a', commit: sampleCommit, filesChanged: 1, insertions: 1, deletions: 0 };
    await log.append([{ kind: 'result.published', runId: 'run-a', ...published }]);
  });
  afterEach(() => reviews?.dispose());

  /** As an executor starts, with what the log has. */
  async function start(maxCostUsd: number | null = null): Promise<void> {
    reviews?.dispose();
    const workspaces = { changes: () => Promise.resolve([]), readFile: () => Promise.resolve(undefined) };
    // Nothing of the repository is asked for but that.
    const parts = { events: log, blobs: new MemoryBlobs(), logger: silentLogger, workspaces, repositories: () => [] };
    const ports = parts as unknown as ExecutorPorts;
    const intake = new Intake(ports);
    reviews = new Reviews(ports, { maxCostUsd }, (task) => {
      added.push(task);
      return intake.add(task);
    });
    reviews.start();
    await settle();
  }

  /** How far the review of the result is that is there now. */
  function reviewed(): string | undefined {
    return log.state.tasks.get(log.state.tasks.get('task-a')?.review ?? '')?.status;
  }

  function ends(reviewer?: string): EventBody {
    const ended = { kind: 'task.ended', taskId: 'task-a', outcome: 'verified', reason: '', runId: 'run-a' } as const;
    return { ...ended, ...(reviewer === undefined ? {} : { reviewer }) };
  }

  it('are queued at the verdict, as whoever was to look then, and ask where the task must', async () => {
    await start();
    await log.append([ends('reviewer')]);
    await settle();
    assert.deepEqual(
      added.map(({ persona, limits, parent }) => ({ persona, limits, parent })),
      [
        {
          persona: 'reviewer',
          limits: { network: { kind: 'none' }, approvals: 'ask' },
          parent: { kind: 'review', taskId: 'task-a', depth: 1 },
        },
      ],
    );
    assert.equal(reviewed(), 'queued');
  });

  it('are queued anew for a result that was sent back and is judged again', async () => {
    await start();
    await log.append([ends('reviewer')]);
    await settle();
    const first = log.state.tasks.get('task-a')?.review ?? assert.fail('no review');
    const back = { runId: 'run-a', attempt: 2, feedback: sampleDigest, comments: [], onto: null };
    await log.append([
      { kind: 'task.ended', taskId: first, outcome: 'unchecked', reason: '', runId: null },
      { kind: 'run.continued', ...back },
      { kind: 'task.requeued', taskId: 'task-a', reason: '', notBeforeMs: 0 },
      ends('reviewer'),
    ]);
    await settle();
    assert.notEqual(log.state.tasks.get('task-a')?.review, first);
    assert.deepEqual([reviewed(), log.state.tasks.get('task-a')?.reviewer], ['queued', undefined]);
  });

  it('are queued by the next executor when the one before was killed at the verdict, and then not again', async () => {
    await log.append([ends('reviewer')]);
    await start();
    assert.equal(added.length, 1);
    await start();
    assert.equal(added.length, 1);
  });

  it('are about to be queued until they are: meanwhile nobody is idle', async () => {
    await log.append([ends('reviewer')]);
    assert.equal(isIdle(log.state), false);
    await start();
    assert.deepEqual([log.state.tasks.get('task-a')?.reviewer, added.length], [undefined, 1]);
  });

  it('are given up, once, where nothing is left of what their task may cost', async () => {
    await log.append([usageRecorded('run-a', 2), ends('reviewer')]);
    await start(1);
    assert.deepEqual([added, log.kinds.at(-1), isIdle(log.state)], [[], 'task.unreviewed', true]);
    await start();
    assert.deepEqual(added, []);
  });

  it('are not made up for results that nobody was to look at', async () => {
    await log.append([ends()]);
    await start();
    assert.deepEqual(added, []);
  });

  it('are not made of what was accepted before they could begin', async () => {
    await log.append([ends('reviewer'), { kind: 'task.discarded', taskId: 'task-a' }]);
    await start();
    assert.deepEqual(added, []);
  });
});
