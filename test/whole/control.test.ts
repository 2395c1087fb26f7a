import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Executor } from '../../src/core/executor';
import type { LiveState, TaskState } from '../../src/core/liveState';
import { says } from '../fakes/messagesApiTurns';
import { honestWork, runs, writes } from '../fakes/wholeModel';
import {
  resultFile,
  runOf,
  sampleCheck,
  sampleFiles,
  stateFits,
  taskEnded,
  taskReported,
  WholeRoom,
} from '../fakes/wholeRoom';
import { git, makeRepository } from '../unit/workspaces/sampleRepository';

function withStatus(taskId: string, status: TaskState['status']): (state: LiveState) => TaskState | undefined {
  return ({ tasks }) => {
    const task = tasks.get(taskId);
    return task?.status === status ? task : undefined;
  };
}

function toolCalled(executor: Executor, words: string): Promise<void> {
  return new Promise((resolve) => {
    const watching = executor.onDidAppend((events) => {
      if (!events.some((event) => event.kind === 'tool.called' && event.summary.includes(words))) return;
      watching.dispose();
      resolve();
    });
  });
}

describe('the user', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('stops the queue in the middle of a command, and what ran goes on where it was when it is started again', async () => {
    room.model.plays('Long', writes('value.txt', 'right\n'), runs('sleep 600', 600), says('Done.'));
    const executor = await room.open();
    const called = toolCalled(executor, 'sleep 600');
    const id = await executor.add({ title: 'Long', prompt: 'Long.', checks: [sampleCheck] });
    await called;
    await executor.stopQueue();
    assert.equal(executor.state.tasks.get(id)?.status, 'queued');
    assert.equal(executor.state.sessions.size, 0);
    await executor.startQueue();
    assert.equal((await taskEnded(executor, id)).status, 'verified');
    assert.deepEqual(room.model.api.paidTwice(), []);
  });

  it('pauses the queue: what runs goes on, nothing new starts but what is wanted at once', async () => {
    for (const title of ['First', 'Second', 'Third']) room.model.plays(title, ...honestWork);
    const executor = await room.open({ settings: { concurrency: 1 } });
    await executor.pauseQueue();
    const [first, second] = await Promise.all(
      ['First', 'Second'].map((title) => executor.add({ title, prompt: title, checks: [sampleCheck] })),
    );
    await executor.runNow(second ?? '');
    await taskEnded(executor, second ?? '');
    assert.equal(executor.state.tasks.get(first ?? '')?.status, 'queued');
    await executor.startQueue();
    assert.equal((await taskEnded(executor, first ?? '')).status, 'verified');
  });

  it('tries a task again that came out badly: a second branch beside the first, and the backend keeps what it was told', async () => {
    await room.queues({ id: 'again', description: 'Again', context: { checks: [sampleCheck] } });
    let attempt = 1;
    const value = () => writes('value.txt', attempt === 1 ? 'bad\n' : 'right\n');
    room.model.plays('Again', value, says('Done.'), says('Done.'));
    const executor = await room.open({ settings: { maxFixRounds: 0 } });
    assert.equal((await taskReported(executor, 'again')).status, 'contradicted');
    attempt = 2;
    await executor.retry('again');
    await stateFits(executor, withStatus('again', 'verified'));
    assert.deepEqual(
      ['airlock/again-1', 'airlock/again-2'].map((branch) => resultFile(room, branch, 'value.txt')),
      ['bad', 'right'],
    );
    await stateFits(executor, ({ reports }) => (reports.get('again/2')?.status === 'dead' ? true : undefined));
    assert.equal(room.backend.api.get('again')?.status, 'failed');
  });

  it('is asked which repository a task is for, and the task goes on there; its backend is asked for it only then', async () => {
    const other = makeRepository(path.join(room.top, 'other'), sampleFiles);
    await room.queues({ id: 'where', description: 'Where', context: { checks: [sampleCheck] } });
    room.model.plays('Where', ...honestWork);
    const executor = await room.open({ repositories: () => [room.repo, other] });
    const waiting = await stateFits(executor, withStatus('where', 'waiting'));
    assert.equal(waiting.reason, 'Several repositories are open. Choose the one that the task is for.');
    assert.equal(room.backend.api.get('where')?.status, 'pending');
    await executor.assignRepository('where', other);
    assert.equal((await taskReported(executor, 'where')).status, 'verified');
    assert.equal(git(other, 'show', 'airlock/where-1:value.txt'), 'right');
    assert.equal(git(room.repo, 'branch', '--list', 'airlock/*'), '');
  });

  it('is asked about a task that names a repository which nobody has open, though only one is', async () => {
    await room.queues({ id: 'else', description: 'Else', context: { repo: 'warehouse' } });
    const waiting = await stateFits(await room.open(), withStatus('else', 'waiting'));
    assert.deepEqual(
      [waiting.reason, waiting.waitingOn, waiting.spec.repo],
      ['No open repository is called “warehouse”. Choose the one that the task is for.', 'user', null],
    );
  });

  it('looks at a result: what changed, both sides of a file, the history, the terminal', async () => {
    room.model.plays('Look', ...honestWork);
    const executor = await room.open();
    const id = await executor.add({ title: 'Look', prompt: 'Look.', checks: [sampleCheck] });
    await taskEnded(executor, id);
    const { files, branch } = await executor.changes(id);
    assert.deepEqual([branch, files.map((file) => file.path)], [`airlock/${id}-1`, ['value.txt']]);
    const sides = await Promise.all(
      (['base', 'result'] as const).map((side) => executor.readResultFile(id, side, 'value.txt')),
    );
    assert.deepEqual(
      sides.map((bytes) => Buffer.from(bytes ?? []).toString()),
      ['wrong\n', 'right\n'],
    );
    let shown = '';
    const watched = await executor.watchSession(runOf(executor, id).sessionId ?? '', (text) => (shown += text));
    watched.dispose();
    assert.match(shown, /It is right now\./);
  });
});

describe('one task', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('is paused in the middle of a command, stays so over a restart, and goes on where it was when it is resumed', async () => {
    room.model.plays('Held', runs('echo begun > begun.txt; sleep 60'), writes('value.txt', 'right\n'), says('Done.'));
    const executor = await room.open({ sources: [] });
    const id = await executor.add({ title: 'Held', prompt: 'Do it.', repo: room.repo, checks: [sampleCheck] });
    await stateFits(executor, ({ runs: all }) =>
      [...all.values()].some(({ toolCalls }) => Object.keys(toolCalls).length > 0) ? true : undefined,
    );
    await executor.pauseTask(id);
    assert.deepEqual([executor.state.tasks.get(id)?.reason, executor.state.sessions.size], ['The user paused it.', 0]);
    await executor.shutdown();
    const again = await room.open({ sources: [] });
    assert.equal(again.state.tasks.get(id)?.status, 'waiting');
    assert.equal(room.model.api.requests.length, 1);
    await again.resumeTask(id);
    assert.equal((await taskEnded(again, id)).status, 'verified');
    assert.deepEqual(room.model.api.paidTwice(), []);
  });
});

describe('a disk that is full', () => {
  it('stops the queue without losing anything, and the run goes on when there is room', async function () {
    const room = await WholeRoom.make();
    try {
      const storage = room.folder('storage');
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,mode=0700', 'tmpfs', storage], { stdio: 'pipe' });
      } catch {
        console.log('      skipped: a disk of its own cannot be mounted here');
        this.skip();
      }
      room.ends.push(async () => void execFileSync('umount', ['-l', storage]));
      const ballast = path.join(storage, 'ballast');
      await room.queues({ id: 'full', description: 'Full', context: { checks: [sampleCheck] } });
      room.model.plays(
        'Full',
        ({ index }) => {
          if (index === 0) fill(ballast);
          return writes('value.txt', 'right\n');
        },
        says('Done.'),
        says('Done.'),
      );
      const executor = await room.open();
      await stateFits(executor, ({ holds, tasks }) =>
        holds.has('disk') && tasks.get('full')?.status === 'queued' ? true : undefined,
      );
      assert.equal(room.backend.api.get('full')?.status, 'in_progress');
      rmSync(ballast);
      await executor.refreshSources();
      assert.equal((await taskReported(executor, 'full')).status, 'verified');
      assert.equal(room.model.api.requests.length, 2, 'the answer that came as the disk was full was kept');
      assert.equal(room.backend.api.get('full')?.status, 'completed');
    } finally {
      await room.close();
    }
  });
});

/** Leaves no byte. */
function fill(file: string): void {
  for (let megabytes = 64; megabytes >= 0; megabytes -= 1) {
    try {
      writeFileSync(file, Buffer.alloc(1024), { flag: 'a' });
      writeFileSync(file, Buffer.alloc(1024 ** 2), { flag: 'a' });
    } catch {
      // The last pieces, one page each.
      try {
        for (;;) writeFileSync(file, Buffer.alloc(4096), { flag: 'a' });
      } catch {
        return;
      }
    }
  }
}
