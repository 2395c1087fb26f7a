import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { isUserError } from '../../src/base/errors';
import type { Executor } from '../../src/core/executor';
import { says } from '../fakes/messagesApiTurns';
import { honestWork, lastTextOf, runs, writes, type Step } from '../fakes/wholeModel';
import { resultFile, runOf, sampleCheck, stateFits, taskEnded, taskReported, WholeRoom } from '../fakes/wholeRoom';
import { commitAll, git, writeFiles } from '../unit/workspaces/sampleRepository';

describe('sending a result back', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  /** A task that is verified, and what its agent does when it is sent back. */
  async function verified(...later: Step[]): Promise<Executor> {
    await room.queues({ id: 'right', description: 'Right', context: { checks: [sampleCheck] } });
    room.model.plays('Right', ...honestWork, ...later);
    const executor = await room.open();
    const task = await taskReported(executor, 'right');
    assert.equal(task.status, 'verified', task.reason);
    return executor;
  }

  async function refusal(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => 'done',
      (error: unknown) => (isUserError(error) ? error.code : String(error)),
    );
  }

  /** The next attempt of the task has ended and was told. */
  async function again(executor: Executor, attempts: number) {
    await stateFits(executor, ({ tasks }) => (tasks.get('right')?.attempts === attempts ? true : undefined));
    return taskEnded(executor, 'right');
  }

  it('gives the comments to the agent of the same conversation, in its files, and checks what comes of it', async () => {
    const told: string[] = [];
    const seen: string[] = [];
    const executor = await verified(
      (request) => {
        told.push(lastTextOf(request));
        return runs('cat value.txt; git status --short; git log --oneline | wc -l; echo more > more.txt');
      },
      (request) => {
        seen.push(lastTextOf(request));
        return says('There is more now.');
      },
    );
    const [before, spent] = [runOf(executor, 'right'), runOf(executor, 'right').usage.outputTokens];
    const runId = before.id;
    const place = { side: 'result', path: 'value.txt', startLine: 1, endLine: 1 } as const;
    const id = await executor.comment('right', { ...place, text: 'Say why.' });
    await executor.comment('right', { ...place, id, text: 'Say why it is right, in more.txt.' });
    const second = await executor.comment('right', { ...place, side: 'base', text: 'Never mind.' });
    await executor.deleteComment('right', second);
    assert.equal(await refusal(executor.comment('right', { ...place, endLine: 7, text: 'x' })), 'comment-invalid');
    assert.equal(await refusal(executor.comment('right', { ...place, path: 'no', text: 'x' })), 'unknown-file');
    await executor.sendBack('right', 'Nearly.');

    const task = await again(executor, 2);
    assert.equal(task.status, 'verified', task.reason);
    assert.match(told[0] ?? '', /^The user has looked at your result and sends it back\.[^]*\nNearly\.\n/);
    assert.match(
      told[0] ?? '',
      /A comment on "value\.txt", line 1, of your result:\n```\nright\n```\nSay why it is right, in more\.txt\.$/,
    );
    assert.match(seen[0] ?? '', /right\n M value\.txt\n1$/);
    const run = runOf(executor, 'right');
    assert.deepEqual(
      [run.id, run.attempt, run.branch, run.messages.length, run.usage.outputTokens > spent],
      [runId, 2, 'airlock/right-2', 8, true],
    );
    assert.deepEqual(
      [resultFile(room, 'airlock/right-2', 'value.txt'), resultFile(room, 'airlock/right-2', 'more.txt')],
      ['right', 'more'],
    );
    assert.deepEqual(
      task.comments?.map((comment) => [comment.id, comment.sentAtMs === null]),
      [[id, false]],
    );
    assert.equal((await executor.land('right')).ref, 'refs/heads/main');
    assert.equal(await refusal(executor.sendBack('right', 'x')), 'wrong-state');
  });

  it('keeps what was written over a restart, goes on after one, and tells the agent once', async () => {
    const executor = await verified(writes('more.txt', 'more\n'), says('More.'));
    await executor.comment('right', { side: 'result', path: 'value.txt', startLine: 1, endLine: 1, text: 'More!' });
    await executor.shutdown();
    const second = await room.open();
    await second.stopQueue();
    assert.equal(await refusal(second.sendBack('right')), 'done');
    assert.deepEqual([second.state.tasks.get('right')?.status, runOf(second, 'right').outcome], ['queued', null]);
    await second.shutdown();
    const third = await room.open();
    const ended = await again(third, 2);
    assert.equal(ended.status, 'verified', ended.reason);
    const asked = room.model.api.requests.map(({ body }) => JSON.stringify(body.messages.at(-1)));
    assert.equal(asked.filter((message) => message.includes('More!')).length, 1);
    assert.equal(resultFile(room, 'airlock/right-2', 'more.txt'), 'more');
  });

  it('has the files of the result also when everything that was left of the run is gone', async () => {
    const executor = await verified(writes('more.txt', 'more\n'), says('More.'));
    await executor.cleanWorkspaces({ olderThanMs: 0, dryRun: false, force: 'right' });
    assert.equal(await refusal(executor.sendBack('right')), 'nothing-to-send');
    await executor.sendBack('right', 'More.');
    assert.equal((await again(executor, 2)).status, 'verified');
    assert.equal(resultFile(room, 'airlock/right-2', 'value.txt'), 'right');
  });

  it('ends, and says why, when its files cannot be laid out again', async () => {
    const executor = await verified();
    await executor.cleanWorkspaces({ olderThanMs: 0, dryRun: false, force: 'right' });
    await executor.stopQueue();
    await executor.sendBack('right', 'More.');
    renameSync(room.repo, `${room.repo}-elsewhere`);
    await executor.startQueue();
    const task = await taskEnded(executor, 'right');
    renameSync(`${room.repo}-elsewhere`, room.repo);
    assert.deepEqual([task.status, runOf(executor, 'right').outcome], ['failed', 'failed']);
    assert.match(task.reason, /shop cannot be opened/);
  });

  it('tells the agent which files are in conflict, on what the branch has become', async () => {
    const told: string[] = [];
    const executor = await verified((request) => {
      told.push(lastTextOf(request));
      return runs('cat value.txt; echo right > value.txt; git log -1 --format=%s');
    }, says('Joined.'));
    assert.equal(await refusal(executor.sendBackConflict('right')), 'wrong-state');
    writeFiles(room.repo, { 'value.txt': 'other\n', 'new.txt': 'new\n' });
    const meanwhile = commitAll(room.repo, 'Meanwhile');
    assert.equal(await refusal(executor.land('right')), 'landing-conflict');
    await executor.sendBackConflict('right');
    const task = await again(executor, 2);
    assert.equal(task.status, 'verified', task.reason);
    assert.match(told[0] ?? '', /could not be put onto the branch "main"[^]*- "value\.txt"/);
    const run = runOf(executor, 'right');
    assert.equal(run.baseCommit, meanwhile);
    assert.deepEqual(
      run.checks.filter(({ on }) => on === 'base').map(({ tree }) => tree),
      [run.baseTree],
    );
    const landed = await executor.land('right');
    assert.deepEqual(
      [landed.commit, readFileSync(path.join(room.repo, 'value.txt'), 'utf8'), git(room.repo, 'status', '--porcelain')],
      [run.commit, 'right\n', ''],
    );
  });

  it('gives a run that was cancelled its say too, and does nothing of it twice', async () => {
    await room.queues({ id: 'right', description: 'Right', context: { checks: [sampleCheck] } });
    room.model.plays(
      'Right',
      runs('echo x >> count.txt'),
      runs('sleep 1000'),
      writes('value.txt', 'right\n'),
      says('Right.'),
    );
    const executor = await room.open();
    await stateFits(executor, ({ runs: all }) =>
      [...all.values()].some((run) => Object.keys(run.toolCalls).length > 1) ? true : undefined,
    );
    await executor.cancel('right');
    await executor.sendBack('right', 'Not so slow.');
    assert.equal((await again(executor, 2)).status, 'verified');
    assert.equal(resultFile(room, 'airlock/right-2', 'count.txt'), 'x');
  });
});
