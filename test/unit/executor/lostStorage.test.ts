import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type { EventBody } from '../../../src/core/events';
import { Landings } from '../../../src/executor/landings';
import { defaultSettings, type ExecutorPorts } from '../../../src/executor/ports';
import { FakeClock, settle } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { QueueRoom } from '../../fakes/queueRoom';
import { queued, runStarted, sampleCommit, sampleTree } from '../core/sampleEvents';

const unwritable = new UserError('storage-unwritable', 'The storage cannot be written to.');

describe('an executor whose storage takes no writes', () => {
  let room: QueueRoom;
  let resets: (string | undefined)[];
  beforeEach(async () => {
    room = new QueueRoom({ settings: { concurrency: 1 } });
    resets = [];
    room.executor.onDidReset(() => resets.push(room.executor.state.holds.get('disk')));
    await room.start();
  });
  afterEach(() => room.executor.shutdown());

  const lose = async (): Promise<void> => {
    room.log.dead = unwritable;
    room.disk.become(unwritable);
    await settle();
  };
  const find = async (): Promise<void> => {
    room.log.dead = undefined;
    room.disk.become(undefined);
    await settle();
  };

  it('shows why the queue is held although no event can say so, until one can say that it goes on', async () => {
    await room.add('Work');
    const { length } = room.log.events;
    await lose();
    assert.deepEqual([resets, room.inWork], [[unwritable.message], []]);
    assert.deepEqual(
      [[...room.log.state.holds], room.log.events.length],
      [[], length],
      'the state stays a fold of events',
    );
    await find();
    assert.deepEqual([resets, room.inWork], [[unwritable.message, undefined], ['Work']]);
    assert.equal(room.executor.state, room.log.state);
  });

  it('says afterwards what has ended meanwhile: a session, and a run that does not go on while the queue is paused', async () => {
    const taskId = await room.add('Work');
    const runId = room.log.state.tasks.get(taskId)?.runId ?? '';
    const proof = { proven: true, canaries: [], durationMs: 1 };
    const process = { pid: 1, startTicks: 1, bootId: 'boot' };
    await room.log.append([{ kind: 'session.created', sessionId: 'session-1', runId, process, proof }]);
    await room.executor.pauseQueue();
    await lose();
    assert.equal(room.executor.state.tasks.get(taskId)?.status, 'running');
    await find();
    const { tasks, sessions, pastSessions } = room.executor.state;
    assert.deepEqual(
      [tasks.get(taskId)?.status, sessions.size, pastSessions.get('session-1')?.reason, room.inWork],
      ['queued', 0, 'It ended while the storage could not be written to.', []],
    );
  });

  it('does nothing that it could not keep', async () => {
    const taskId = await room.add('Work');
    await lose();
    const { executor } = room;
    for (const command of [
      () => executor.cancel(taskId),
      () => executor.undoLanding(taskId),
      () => executor.discard(taskId),
      () => executor.keepAsBranch(taskId, 'mine'),
      () => executor.publishSnapshot(taskId, 1),
      () => executor.add({ title: 'More', prompt: 'More.' }),
      () => executor.startQueue(),
    ]) {
      await assert.rejects(command(), { code: 'storage-unwritable', message: unwritable.message });
    }
    await find();
    assert.deepEqual(room.inWork, ['Work']);
  });
});

describe('a landing in the midst of which nothing more can be kept', () => {
  for (const isMoved of [true, false]) {
    it(`is looked at afterwards, and has ${isMoved ? '' : 'not '}happened as its branch says`, async () => {
      const log = new MemoryLog(new FakeClock());
      const result = { branch: 'airlock/a-1', commit: sampleCommit, filesChanged: 1, insertions: 1, deletions: 0 };
      const verified: EventBody[] = [
        queued('a'),
        runStarted('run-1', 'a'),
        { kind: 'run.prepared', runId: 'run-1', baseCommit: 'b'.repeat(40), baseTree: sampleTree, notes: [] },
        { kind: 'result.published', runId: 'run-1', ...result },
        { kind: 'run.ended', runId: 'run-1', outcome: 'verified', reason: '' },
        { kind: 'task.ended', taskId: 'a', outcome: 'verified', reason: '', runId: 'run-1' },
      ];
      await log.append(verified);
      const target = { repo: '/home/dev/project', ref: 'refs/heads/main', commit: 'b'.repeat(40) };
      const ports: Partial<Record<keyof ExecutorPorts, unknown>> = {
        events: log,
        logger: silentLogger,
        targets: {
          find: () => Promise.resolve(target),
          advance: () => Promise.resolve(void (log.dead = unwritable)),
          tip: () => Promise.resolve(isMoved ? sampleCommit : target.commit),
        },
        workspaces: { reopen: () => Promise.resolve(undefined), removeRemains: () => Promise.resolve() },
      };
      const landings = new Landings(ports as unknown as ExecutorPorts, defaultSettings, new AbortController().signal);
      await assert.rejects(landings.land('a', {}), unwritable);
      log.dead = undefined;
      assert.equal(log.state.tasks.get('a')?.landing?.phase, 'moving');
      await landings.settle();
      assert.equal(log.kinds.at(-1), isMoved ? 'task.landed' : 'landing.failed');
    });
  }
});
