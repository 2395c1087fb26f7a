import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { Executor } from '../../src/core/executor';
import { systemClock } from '../../src/base/clock';
import { maxResolvedBytes, type Resolution } from '../../src/core/conflict';
import { isUserError } from '../../src/base/errors';
import { resolutionIn } from '../../src/cli/resolvedFolder';
import { silentLogger } from '../../src/base/logger';
import type { TaskState } from '../../src/core/liveState';
import { openStore } from '../../src/store/store';
import { says } from '../fakes/messagesApiTurns';
import { honestWork, writes } from '../fakes/wholeModel';
import { sampleCheck, taskReported, WholeRoom } from '../fakes/wholeRoom';
import { commitAll, git, writeFiles } from '../unit/workspaces/sampleRepository';

describe('letting a result out', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  const read = (file: string): string => readFileSync(path.join(room.repo, file), 'utf8');
  const tip = (ref = 'main'): string => git(room.repo, 'rev-parse', ref);
  const taskOf = (executor: Executor): TaskState | undefined => executor.state.tasks.get('right');
  const branches = (): string[] =>
    git(room.repo, 'for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n');

  async function verified(...checks: string[]): Promise<Executor> {
    await room.queues({ id: 'right', description: 'Right', context: { checks: [sampleCheck, ...checks] } });
    room.model.plays('Right', ...honestWork);
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

  it('moves the branch to the result itself where nothing has changed, and back again', async () => {
    const executor = await verified();
    const [before, result] = [tip(), tip('airlock/right-1')];
    writeFiles(room.repo, { 'notes.txt': 'mine, not committed\n' });
    const landed = await executor.land('right');
    assert.deepEqual(landed, { ref: 'refs/heads/main', from: before, commit: result });
    assert.deepEqual([tip(), read('value.txt'), read('notes.txt')], [result, 'right\n', 'mine, not committed\n']);
    assert.equal(taskOf(executor)?.status, 'landed');
    assert.equal(await refusal(executor.land('right')), 'wrong-state');

    await executor.undoLanding('right');
    assert.deepEqual([tip(), read('value.txt'), read('notes.txt')], [before, 'wrong\n', 'mine, not committed\n']);
    assert.deepEqual([taskOf(executor)?.status, taskOf(executor)?.landing], ['verified', null]);
    await executor.discard('right');
    assert.deepEqual([taskOf(executor)?.status, branches()], ['discarded', ['main']]);
  });

  it('lays it over what the branch has become, checks that, and leaves nothing beside it', async () => {
    const executor = await verified();
    writeFiles(room.repo, { 'other.txt': 'meanwhile\n' });
    const meanwhile = commitAll(room.repo, 'Meanwhile');
    const { commit, from } = await executor.land('right');
    assert.deepEqual([from, tip(), git(room.repo, 'rev-parse', `${commit}^`)], [meanwhile, commit, meanwhile]);
    assert.deepEqual(
      [read('value.txt'), read('other.txt'), git(room.repo, 'status', '--porcelain')],
      ['right\n', 'meanwhile\n', ''],
    );
    assert.match(git(room.repo, 'log', '-1', '--format=%B'), /^Right\n[^]*Airlock-Verdict: verified/);
    assert.deepEqual(
      taskOf(executor)?.landing?.checks.map((check) => [check.command, check.exitCode]),
      [[sampleCheck, 0]],
    );
    assert.deepEqual(branches(), ['airlock/right-1', 'main']);
    const kept = readdirSync(path.join(room.storage, 'runs'));
    assert.deepEqual(
      kept.filter((runId) => existsSync(path.join(room.storage, 'runs', runId, 'workspace'))),
      [],
    );
  });

  it('does not move the branch when a check fails on the two together', async () => {
    const executor = await verified('! test -e forbidden.txt');
    writeFiles(room.repo, { 'forbidden.txt': 'meanwhile\n' });
    const meanwhile = commitAll(room.repo, 'Meanwhile');
    assert.equal(await refusal(executor.land('right')), 'landing-check-failed');
    assert.deepEqual([tip(), read('value.txt')], [meanwhile, 'wrong\n']);
    const { phase, code } = taskOf(executor)?.landing ?? {};
    assert.deepEqual([taskOf(executor)?.status, phase, code], ['verified', 'failed', 'landing-check-failed']);
    assert.deepEqual(branches(), ['airlock/right-1', 'main']);
  });

  it('names the files of a conflict, and the user’s own uncommitted work in the way', async () => {
    const executor = await verified();
    writeFiles(room.repo, { 'value.txt': 'edited\n' });
    assert.equal(await refusal(executor.land('right')), 'landing-overwrites');
    assert.equal(read('value.txt'), 'edited\n');
    commitAll(room.repo, 'Mine');
    assert.equal(await refusal(executor.land('right')), 'landing-conflict');
    assert.deepEqual(taskOf(executor)?.landing?.files, ['value.txt']);
    assert.deepEqual(await executor.landingTargets('right'), { checkedOut: 'main', branches: ['main'] });
    // What is there now is for another run to see.
    await executor.retry('right');
    assert.deepEqual([taskOf(executor)?.status, taskOf(executor)?.landing], ['queued', null]);
  });

  describe('with a conflict that the user resolves by hand', () => {
    const content = (text: string): string => Buffer.from(text).toString('base64');

    /** The result says “right”, the branch “mine”. */
    async function inConflict(...checks: string[]): Promise<Executor> {
      const executor = await verified(...checks);
      writeFiles(room.repo, { 'value.txt': 'mine\n' });
      commitAll(room.repo, 'Mine');
      assert.equal(await refusal(executor.land('right')), 'landing-conflict');
      return executor;
    }

    const resolving = (target: string, text: string): Resolution => ({
      target,
      files: [{ path: 'value.txt', content: content(text) }],
    });

    it('shows each side, checks what was made of them, and moves the branch', async () => {
      const executor = await inConflict('! test -e forbidden.txt');
      writeFiles(room.repo, { 'notes.txt': 'mine, not committed\n' });
      const target = tip();
      const file = { path: 'value.txt', how: 'merge', isInTarget: true, isInResult: true };
      assert.deepEqual(await executor.conflict('right'), { ref: 'refs/heads/main', target, files: [file] });
      const sides: string[] = [];
      for (const side of ['base', 'target', 'result'] as const) {
        sides.push(Buffer.from((await executor.readConflictFile('right', side, 'value.txt')) ?? []).toString());
      }
      assert.deepEqual(sides, ['wrong\n', 'mine\n', 'right\n']);

      const { from, commit } = await executor.landResolved('right', resolving(target, 'right\nand mine\n'));
      assert.deepEqual([from, tip(), read('value.txt')], [target, commit, 'right\nand mine\n']);
      assert.equal(git(room.repo, 'status', '--porcelain'), '?? notes.txt');
      assert.match(git(room.repo, 'log', '-1', '--format=%B'), /^Right\n\nJoined by hand: value\.txt\n/);
      const { status, landing } = taskOf(executor) ?? {};
      assert.equal(status, 'landed');
      assert.deepEqual(
        landing?.checks.map(({ command, exitCode }) => [command, exitCode]),
        [
          [sampleCheck, 0],
          ['! test -e forbidden.txt', 0],
        ],
      );
      await executor.undoLanding('right');
      assert.deepEqual([tip(), read('value.txt')], [target, 'mine\n']);
    });

    it('does not move the branch when a check fails on it, and can be resolved again', async () => {
      const executor = await inConflict();
      const target = tip();
      assert.equal(
        await refusal(executor.landResolved('right', resolving(target, 'neither\n'))),
        'landing-check-failed',
      );
      const { landing } = taskOf(executor) ?? {};
      assert.deepEqual([tip(), read('value.txt')], [target, 'mine\n']);
      assert.deepEqual(
        [landing?.code, landing?.files, landing?.checks.length],
        ['landing-check-failed', ['value.txt'], 1],
      );
      assert.equal((await executor.conflict('right')).target, target);
      await executor.landResolved('right', resolving(target, 'right\n'));
      assert.deepEqual([taskOf(executor)?.status, read('value.txt')], ['landed', 'right\n']);
    });

    it('is in conflict anew when the branch has moved meanwhile', async () => {
      const executor = await inConflict();
      const target = tip();
      writeFiles(room.repo, { 'value.txt': 'mine again\n' });
      const meanwhile = commitAll(room.repo, 'Mine again');
      assert.equal(await refusal(executor.conflict('right')), 'landing-moved');
      assert.equal(await refusal(executor.landResolved('right', resolving(target, 'right\n'))), 'landing-conflict');
      const { landing } = taskOf(executor) ?? {};
      assert.match(landing?.reason ?? '', /has moved since the files were resolved/);
      assert.deepEqual([tip(), read('value.txt')], [meanwhile, 'mine again\n']);
      assert.equal((await executor.conflict('right')).target, meanwhile);
      git(room.repo, 'reset', '-q', '--hard', 'HEAD~2');
      assert.equal(await refusal(executor.landResolved('right', resolving(meanwhile, 'right\n'))), 'landing-outdated');
      assert.equal(read('value.txt'), 'wrong\n');
    });

    it('refuses what is not finished, not whole, or too large, and begins nothing', async () => {
      const executor = await inConflict();
      const target = tip();
      const { seq } = executor.state;
      const markers = '<<<<<<< main\nmine\n=======\nright\n>>>>>>> result\n';
      const other = { path: 'other.txt', content: content('x') };
      const big = 'x'.repeat(maxResolvedBytes);
      const refusals = [
        resolving(target, markers),
        resolving(target, 'right\n=======\nmine\n>>>>>>> mine\n'),
        resolving(tip('HEAD~1'), 'right\n'),
        { target, files: [other] },
        { target, files: [...resolving(target, 'right\n').files, other] },
        { target, files: [...resolving(target, 'right\n').files, ...resolving(target, 'right\n').files] },
        resolving(target, `${big}x`),
      ].map((resolution) => refusal(executor.landResolved('right', resolution)));
      assert.deepEqual(await Promise.all(refusals), [
        ...Array<string>(2).fill('resolution-unfinished'),
        ...Array<string>(4).fill('resolution-invalid'),
        'resolution-too-large',
      ]);
      assert.deepEqual([executor.state.seq, tip()], [seq, target]);
    });

    it('takes one side whole, also where the other has deleted it', async () => {
      const executor = await verified();
      git(room.repo, 'rm', '-q', 'value.txt');
      const target = commitAll(room.repo, 'Mine');
      assert.equal(await refusal(executor.land('right')), 'landing-conflict');
      const file = { path: 'value.txt', how: 'choose', isInTarget: false, isInResult: true };
      assert.deepEqual((await executor.conflict('right')).files, [file]);
      assert.equal(await executor.readConflictFile('right', 'target', 'value.txt'), undefined);
      const taking = (take: 'target' | 'result'): Resolution => ({ target, files: [{ path: 'value.txt', take }] });
      // Nothing is left of the result then.
      assert.equal(await refusal(executor.landResolved('right', taking('target'))), 'landing-empty');
      await executor.landResolved('right', taking('result'));
      assert.equal(read('value.txt'), 'right\n');
    });

    it('takes the files of a folder, and what is not there as deleted where one side has deleted it', async () => {
      const executor = await inConflict();
      const folder = path.join(room.storage, '..', 'resolved');
      const resolution = (): Promise<unknown> => resolutionIn(executor, 'right', folder);
      // A name that was mistyped, and one of a file.
      assert.equal(await refusal(resolution()), 'resolution-invalid');
      assert.equal(
        await refusal(resolutionIn(executor, 'right', path.join(room.repo, 'value.txt'))),
        'resolution-invalid',
      );
      mkdirSync(folder);
      assert.equal(await refusal(resolution()), 'resolution-invalid');
      symlinkSync('/etc/hostname', path.join(folder, 'value.txt'));
      assert.equal(await refusal(resolution()), 'resolution-invalid');
      rmSync(path.join(folder, 'value.txt'));
      writeFiles(folder, { 'value.txt': 'joined\n', 'other.txt': 'not in conflict\n' });
      assert.deepEqual(await resolution(), resolving(tip(), 'joined\n'));
      git(room.repo, 'rm', '-q', 'value.txt');
      const target = commitAll(room.repo, 'Mine is gone');
      assert.equal(await refusal(executor.land('right')), 'landing-conflict');
      rmSync(path.join(folder, 'value.txt'));
      assert.deepEqual(await resolution(), { target, files: [{ path: 'value.txt', take: 'target' }] });
      rmSync(folder, { recursive: true });
      assert.equal(await refusal(resolution()), 'resolution-invalid');
    });

    it('keeps to the branch and the files that it was to be let out with', async () => {
      const executor = await verified();
      git(room.repo, 'checkout', '-q', '-b', 'next');
      writeFiles(room.repo, { 'value.txt': 'mine\n' });
      const target = commitAll(room.repo, 'Mine');
      git(room.repo, 'checkout', '-q', 'main');
      const options = { onto: 'next', files: ['value.txt'] };
      assert.equal(await refusal(executor.land('right', options)), 'landing-conflict');
      const { ref } = await executor.landResolved('right', resolving(target, 'right\n'));
      assert.deepEqual(
        [ref, git(room.repo, 'show', 'next:value.txt'), read('value.txt')],
        ['refs/heads/next', 'right', 'wrong\n'],
      );
    });
  });

  it('refuses a result that the checks contradict', async () => {
    await room.queues({ id: 'wrong', description: 'Wrong', context: { checks: ['false'] } });
    room.model.plays('Wrong', writes('value.txt', 'other\n'), says('Done.'), says('Done.'), says('Done.'));
    const executor = await room.open();
    await taskReported(executor, 'wrong');
    assert.equal(await refusal(executor.land('wrong')), 'landing-unproven');
  });

  for (const wasMoved of [true, false]) {
    it(`finds out after a crash that the branch was ${wasMoved ? '' : 'not '}moved`, async () => {
      const executor = await verified();
      await executor.shutdown();
      const [from, commit] = [tip(), tip('airlock/right-1')];
      const ref = 'refs/heads/main';
      const store = await openStore({ storage: room.storage, clock: systemClock, logger: silentLogger });
      await store.journal.append([
        { kind: 'landing.started', taskId: 'right', runId: 'run-landing', ref, only: null, resolved: [] },
        { kind: 'landing.moving', taskId: 'right', ref, from, commit },
      ]);
      await store.close();
      if (wasMoved) git(room.repo, 'merge', '-q', '--ff-only', commit);
      git(room.repo, 'branch', 'airlock/landing-run-landing', commit);
      const task = taskOf(await room.open());
      assert.deepEqual(
        [task?.status, task?.landing?.phase, task?.landing?.code],
        wasMoved ? ['landed', 'landed', ''] : ['verified', 'failed', 'landing-interrupted'],
      );
      assert.deepEqual(branches(), ['airlock/right-1', 'main']);
    });
  }
});
