import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Executor } from '../../src/core/executor';
import { systemClock } from '../../src/base/clock';
import { isUserError } from '../../src/base/errors';
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
        { kind: 'landing.started', taskId: 'right', runId: 'run-landing', ref },
        { kind: 'landing.moving', taskId: 'right', ref, from, commit },
      ]);
      await store.close();
      if (wasMoved) git(room.repo, 'merge', '-q', '--ff-only', commit);
      const task = taskOf(await room.open());
      assert.deepEqual(
        [task?.status, task?.landing?.phase, task?.landing?.code],
        wasMoved ? ['landed', 'landed', ''] : ['verified', 'failed', 'landing-interrupted'],
      );
    });
  }
});
