import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import type { Executor } from '../../../src/core/executor';
import { newTaskSchema } from '../../../src/core/task';
import { toWire } from '../../../src/core/snapshot';
import type { FakeExecutor } from '../../fakes/executor';
import { until } from './until';

export interface Subject {
  /** The executor that does the work. */
  readonly worker: FakeExecutor;
  /** The one that is looked at: the same, or one that stands for it. */
  readonly executor: Executor;
}

/** What every executor promises, wherever it runs. */
export function itBehavesLikeAnExecutor(subject: () => Subject): void {
  const bytes = new Uint8Array([0, 255, 10, 13, 128, 34]);

  it('has the events of a command in its state when the command resolves', async () => {
    const { executor } = subject();
    const taskId = await executor.add({ title: 'Fix it', prompt: 'Fix the test' });
    assert.equal(executor.state.tasks.get(taskId)?.spec.title, 'Fix it');
    await executor.startQueue();
    assert.equal(executor.state.queueMode, 'running');
    await executor.pauseQueue();
    assert.equal(executor.state.queueMode, 'paused');
  });

  it('carries every field of a task', async () => {
    const { executor, worker } = subject();
    const task = {
      title: 'Everything',
      prompt: 'Line one\nLine "two" \u{1F600} \u2028 \0',
      priority: 0 as const,
      persona: 'reviewer',
      checks: ['npm test', 'make'],
      limits: { timeoutMs: 1000, maxTurns: 3, maxCostUsd: 0.5 },
      dependsOn: ['task-7'],
      repo: '/home/dev/project',
      origin: { sourceId: 'zmemory:main', externalId: 'a/b?c' },
      context: { nested: { list: [1, null, 'x'] } },
    };
    await executor.add(task);
    const [call] = worker.calls;
    assert.equal(call?.command, 'add');
    assert.deepEqual(newTaskSchema.parse(call.args[0]), newTaskSchema.parse(task));
  });

  it('carries what is to be let out and where to, and takes it back', async () => {
    const { executor, worker } = subject();
    const taskId = await executor.add({ title: 'Fix it', prompt: 'Fix the test' });
    const landed = await executor.land(taskId, { onto: 'next', files: ['a', 'b/c'] });
    assert.deepEqual(landed, { ref: 'refs/heads/next', from: 'a'.repeat(40), commit: 'b'.repeat(40) });
    assert.equal(executor.state.tasks.get(taskId)?.landing?.phase, 'landed');
    await executor.undoLanding(taskId);
    assert.deepEqual(
      [executor.state.tasks.get(taskId)?.status, executor.state.tasks.get(taskId)?.landing],
      ['queued', null],
    );
    await executor.discard(taskId);
    await executor.land(taskId);
    assert.deepEqual(
      worker.calls.slice(1).map(({ command, args }) => [command, JSON.parse(JSON.stringify(args)) as unknown]),
      [
        ['land', [taskId, { onto: 'next', files: ['a', 'b/c'] }]],
        ['undoLanding', [taskId]],
        ['discard', [taskId]],
        ['land', [taskId, {}]],
      ],
    );
  });

  it('carries a conflict, its files, and what the user has made of them', async () => {
    const { executor, worker } = subject();
    const taskId = await executor.add({ title: 'Fix it', prompt: 'Fix the test' });
    const { target, files } = await executor.conflict(taskId);
    assert.deepEqual(files, [{ path: 'a', how: 'merge', isInTarget: true, isInResult: true }]);
    const sides = ['base', 'target'] as const;
    const read = await Promise.all(sides.map((side) => executor.readConflictFile(taskId, side, 'a')));
    assert.deepEqual(
      read.map((bytes) => bytes && Buffer.from(bytes).toString()),
      [undefined, 'target a'],
    );
    const resolution = {
      target,
      files: [
        { path: 'a', content: 'AA==' },
        { path: 'b', take: 'result' as const },
      ],
    };
    assert.equal((await executor.landResolved(taskId, resolution)).from, target);
    assert.deepEqual(worker.calls.at(-1), { command: 'landResolved', args: [taskId, resolution] });
  });

  it('carries comments on a result, and that it is sent back with them', async () => {
    const { executor, worker } = subject();
    const taskId = await executor.add({ title: 'Fix it', prompt: 'Fix the test' });
    const written = { side: 'result', path: 'src/a.ts', startLine: 3, endLine: 4, text: 'Why \u{1F600}?' } as const;
    const id = await executor.comment(taskId, written);
    const comments = executor.state.tasks.get(taskId)?.comments ?? [];
    assert.deepEqual(
      comments.map((comment) => [comment.id, comment.path, comment.startLine, comment.endLine, comment.sentAtMs]),
      [[id, 'src/a.ts', 3, 4, null]],
    );
    await executor.deleteComment(taskId, id);
    assert.deepEqual(executor.state.tasks.get(taskId)?.comments, []);
    await executor.sendBack(taskId, 'Again.');
    await executor.sendBackConflict(taskId);
    await executor.keepAsBranch(taskId, 'mine');
    await executor.notePullRequest(taskId, 'https://github.com/acme/shop/pull/7');
    await executor.cancelLanding(taskId);
    assert.deepEqual(
      worker.calls.slice(1).map(({ command, args }) => [command, JSON.parse(JSON.stringify(args)) as unknown]),
      [
        ['comment', [taskId, written]],
        ['deleteComment', [taskId, id]],
        ['sendBack', [taskId, 'Again.']],
        ['sendBackConflict', [taskId]],
        ['keepAsBranch', [taskId, 'mine']],
        ['notePullRequest', [taskId, 'https://github.com/acme/shop/pull/7']],
        ['cancelLanding', [taskId]],
      ],
    );
  });

  it('tells events in order, after they are in the state', async () => {
    const { executor, worker } = subject();
    const seen: [number, number][] = [];
    executor.onDidAppend((events) => {
      for (const event of events) seen.push([event.seq, executor.state.seq]);
    });
    worker.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
    worker.append(
      { kind: 'queue.changed', mode: 'paused', by: 'user' },
      { kind: 'source.changed', sourceId: 'zmemory:main', healthy: false, message: 'down' },
    );
    await until(() => seen.length === 3);
    assert.deepEqual(
      seen.map(([seq]) => seq),
      [1, 2, 3],
    );
    assert.ok(seen.every(([seq, stateSeq]) => stateSeq >= seq));
  });

  it('has the same state as who does the work, all through a run', async () => {
    const { executor, worker } = subject();
    const taskId = await executor.add({ title: 'Run it', prompt: 'Run' });
    worker.beginRun(taskId, { runId: 'run-1', sessionId: 'session-1' });
    worker.append(
      { kind: 'message.recorded', runId: 'run-1', index: 0, role: 'user', blob: 'c'.repeat(64) },
      { kind: 'tool.called', runId: 'run-1', callId: 'call-1', name: 'bash', summary: 'npm test' },
    );
    await executor.cancel(taskId);
    assert.deepEqual(toWire(executor.state), toWire(worker.state));
    assert.equal(executor.state.tasks.get(taskId)?.status, 'cancelled');
  });

  it('throws what the user can mend, with code, words and facts', async () => {
    const { executor } = subject();
    await assert.rejects(executor.cancel('no-such-task'), (error) => {
      assert.ok(error instanceof UserError);
      assert.deepEqual(
        { code: error.code, message: error.message, facts: error.facts },
        { code: 'unknown-task', message: 'There is no task no-such-task.', facts: { taskId: 'no-such-task' } },
      );
      return true;
    });
  });

  it('throws other failures with their words, and goes on', async () => {
    const { executor, worker } = subject();
    worker.failNext('refreshSources', new Error('the wire is cut'));
    await assert.rejects(executor.refreshSources(), { message: 'the wire is cut' });
    await executor.refreshSources();
  });

  it('gives the bytes of a blob as they are, and undefined when there is none', async () => {
    const { executor, worker } = subject();
    const digest = worker.keep(bytes);
    assert.deepEqual(new Uint8Array((await executor.readBlob(digest)) ?? []), bytes);
    assert.deepEqual(new Uint8Array((await executor.readBlob(worker.keep(''))) ?? [1]), new Uint8Array());
    assert.equal(await executor.readBlob('f'.repeat(64)), undefined);
  });

  it('carries a blob of 8 MiB', async () => {
    const { executor, worker } = subject();
    const big = new Uint8Array(8 * 1024 * 1024).fill(7);
    assert.equal(Buffer.compare((await executor.readBlob(worker.keep(big))) ?? Buffer.alloc(0), big), 0);
  });

  it('answers what a result changed, and its files', async () => {
    const { executor, worker } = subject();
    const changes = {
      repo: '/home/dev/project',
      baseCommit: 'a'.repeat(40),
      commit: 'b'.repeat(40),
      branch: 'airlock/task-1-1',
      files: [
        { path: 'a\nb', oldPath: null, kind: 'added' as const, insertions: 1, deletions: 0 },
        { path: 'x.png', oldPath: 'y.png', kind: 'renamed' as const, insertions: null, deletions: null },
      ],
    };
    worker.resultChanges.set('task-1', changes);
    worker.resultFiles.set('task-1:result:a\nb', bytes);
    assert.deepEqual(await executor.changes('task-1'), changes);
    assert.deepEqual(new Uint8Array((await executor.readResultFile('task-1', 'result', 'a\nb')) ?? []), bytes);
    assert.equal(await executor.readResultFile('task-1', 'base', 'a\nb'), undefined);
    await assert.rejects(executor.changes('task-2'), { code: 'no-result' });
  });

  it('shows a session from what was shown so far until it is disposed of', async () => {
    const { executor, worker } = subject();
    const shown: string[] = [];
    worker.show('session-1', 'before\r\n');
    const watch = await executor.watchSession('session-1', (text) => shown.push(text));
    assert.deepEqual(shown, ['before\r\n']);
    worker.show('session-1', '\u001b[32mgreen\u001b[0m');
    await until(() => shown.length === 2);
    assert.equal(shown[1], '\u001b[32mgreen\u001b[0m');
    watch.dispose();
    await until(() => worker.watchers.get('session-1')?.size === 0);
    worker.show('session-1', 'after');
    await executor.refreshSources();
    assert.equal(shown.length, 2);
  });

  it('tells what the living sessions use, without an event', async () => {
    const { executor, worker } = subject();
    const before = executor.state.seq;
    worker.uses = [{ sessionId: 'session-1', residentBytes: 5_000_000, cpuMs: 1230, monotonicMs: 77.5 }];
    assert.deepEqual(await executor.sessionUse(), worker.uses);
    assert.equal(executor.state.seq, before);
  });

  it('has the sessions that are over, their recordings, and what becomes of them', async () => {
    const { executor, worker } = subject();
    const taskId = await executor.add({ title: 'Run it', prompt: 'Run' });
    worker.beginRun(taskId, { runId: 'run-1', sessionId: 'session-1' });
    worker.append({ kind: 'session.closed', sessionId: 'session-1', reason: 'It was time.', breach: null });
    worker.recordings.set('session-1', bytes);
    assert.deepEqual(new Uint8Array(await executor.readRecording('session-1')), bytes);
    await assert.rejects(executor.readRecording('session-2'), { code: 'unknown-session' });
    await executor.archiveSession('session-1');
    const past = executor.state.pastSessions.get('session-1');
    assert.deepEqual([past?.status, past?.taskId, past?.reason], ['archived', taskId, 'It was time.']);
    await executor.deleteSession('session-1');
    assert.equal(executor.state.pastSessions.size, 0);
  });

  it('watches one session twice, each for itself', async () => {
    const { executor, worker } = subject();
    const shown: string[][] = [[], []];
    const first = await executor.watchSession('session-1', (text) => shown[0]?.push(text));
    await executor.watchSession('session-1', (text) => shown[1]?.push(text));
    first.dispose();
    await until(() => worker.watchers.get('session-1')?.size === 1);
    worker.show('session-1', 'x');
    await until(() => shown[1]?.length === 1);
    assert.deepEqual(shown, [[], ['x']]);
  });

  it('gives the keyboard of a session to one user at a time, with every key in order', async () => {
    const { executor, worker } = subject();
    const taskId = await executor.add({ title: 'Run it', prompt: 'Run' });
    worker.beginRun(taskId, { runId: 'run-1', sessionId: 'session-1' });
    const keyboard = await executor.takeOver('session-1', { columns: 80, rows: 24 });
    assert.equal(executor.state.sessions.get('session-1')?.takenOver, true);
    await assert.rejects(executor.takeOver('session-1', { columns: 80, rows: 24 }), { code: 'session-taken' });
    let ended = 0;
    keyboard.onDidEnd(() => (ended += 1));
    for (const key of 'echo é\r\u0003\u001b[A') keyboard.write(key);
    keyboard.resize({ columns: 132, rows: 50 });
    await keyboard.giveBack();
    await until(() => ended === 1);
    keyboard.write('too late');
    await keyboard.giveBack();
    const [taken] = worker.keyboards;
    assert.deepEqual([taken?.typed, taken?.size], ['echo é\r\u0003\u001b[A', { columns: 132, rows: 50 }]);
    assert.equal(executor.state.sessions.get('session-1')?.takenOver, false);
  });

  it('tells the user that the agent has the keyboard again', async () => {
    const { executor, worker } = subject();
    const keyboard = await executor.takeOver('session-1', { columns: 80, rows: 24 });
    let ended = 0;
    keyboard.onDidEnd(() => (ended += 1));
    worker.keyboards[0]?.end();
    await until(() => ended === 1);
  });

  it('answers about the jail and about history', async () => {
    const { executor, worker } = subject();
    worker.readiness = {
      kind: 'unavailable',
      code: 'no-bwrap',
      reason: 'bwrap is missing',
      fix: 'apt install bubblewrap',
    };
    worker.historyAnswer = { kind: 'byModel', rows: [] };
    assert.deepEqual(await executor.jailReadiness(), worker.readiness);
    assert.equal((await executor.proveJail()).proven, true);
    assert.deepEqual(await executor.history({ kind: 'byModel', days: 7 }), worker.historyAnswer);
    assert.deepEqual(worker.calls.at(-1), { command: 'history', args: [{ kind: 'byModel', days: 7 }] });
  });

  it('works on several commands at once', async () => {
    const { executor, worker } = subject();
    const release = worker.hold('refreshSources');
    const slow = executor.refreshSources();
    await executor.startQueue();
    release();
    await slow;
    assert.equal(executor.state.queueMode, 'running');
  });

  it('passes a retry, a start and a repository on as they were given', async () => {
    const { executor, worker } = subject();
    const taskId = await executor.add({ title: 'x', prompt: 'y' });
    await executor.runNow(taskId);
    await executor.assignRepository(taskId, '/home/dev/other');
    await executor.cancel(taskId);
    await executor.retry(taskId);
    await executor.stopQueue();
    await executor.answer(taskId, 'The blue one.');
    await executor.pauseTask(taskId);
    await executor.resumeTask(taskId);
    await executor.moveTask(taskId, 'other');
    await executor.moveTask(taskId, null);
    await executor.retryReport(taskId);
    await executor.pauseSource('zmemory:main');
    await executor.resumeSource('zmemory:main');
    assert.deepEqual(worker.calls.slice(1), [
      { command: 'runNow', args: [taskId] },
      { command: 'assignRepository', args: [taskId, '/home/dev/other'] },
      { command: 'cancel', args: [taskId] },
      { command: 'retry', args: [taskId] },
      { command: 'stopQueue', args: [] },
      { command: 'answer', args: [taskId, 'The blue one.'] },
      { command: 'pauseTask', args: [taskId] },
      { command: 'resumeTask', args: [taskId] },
      { command: 'moveTask', args: [taskId, 'other'] },
      { command: 'moveTask', args: [taskId, null] },
      { command: 'retryReport', args: [taskId] },
      { command: 'pauseSource', args: ['zmemory:main'] },
      { command: 'resumeSource', args: ['zmemory:main'] },
    ]);
    assert.equal(executor.state.tasks.get(taskId)?.spec.repo, '/home/dev/other');
  });

  it('keeps on telling when a listener throws', async () => {
    const { executor, worker } = subject();
    let told = 0;
    executor.onDidAppend(() => {
      throw new Error('a listener fails');
    });
    executor.onDidAppend(() => (told += 1));
    worker.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
    worker.append({ kind: 'queue.changed', mode: 'paused', by: 'user' });
    await until(() => told === 2);
  });

  it('tells when the state is replaced as a whole', async () => {
    const { executor, worker } = subject();
    await executor.add({ title: 'Old', prompt: 'x' });
    let resets = 0;
    executor.onDidReset(() => (resets += 1));
    const { state } = worker;
    state.tasks.clear();
    worker.reset(state);
    await until(() => resets === 1);
    assert.equal(executor.state.tasks.size, 0);
  });
}
