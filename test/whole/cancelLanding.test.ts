import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isCancellation, isUserError, messageOf } from '../../src/base/errors';
import type { AirlockEvent } from '../../src/core/events';
import type { Executor } from '../../src/core/executor';
import type { LandingState, LiveState } from '../../src/core/liveState';
import { says } from '../fakes/messagesApiTurns';
import { honestWork, writes } from '../fakes/wholeModel';
import {
  commandLines,
  processesThatName,
  repositoryFingerprint,
  sampleCheck,
  stateFits,
  taskReported,
  WholeRoom,
} from '../fakes/wholeRoom';
import { commitAll, git, writeFiles } from '../unit/workspaces/sampleRepository';

/** It sleeps on what the branch has become, and not on the result alone. Its command line is like no other. */
const sleeping = 'sleep 86311';
const slowCheck = `test ! -e slow.txt || { ${sleeping} & ${sleeping}; }`;

describe('a landing that is given up', () => {
  let room: WholeRoom;
  let executor: Executor;
  beforeEach(async () => {
    room = await WholeRoom.make();
    const checks = [sampleCheck, slowCheck];
    await room.queues({ id: 'right', description: 'Right', context: { checks } });
    await room.queues({ id: 'other', description: 'Other' });
    room.model.plays('Right', ...honestWork);
    room.model.plays('Other', writes('other.txt', 'other\n'), says('Done.'));
    executor = await room.open();
    assert.equal((await taskReported(executor, 'right')).status, 'verified');
    assert.equal((await taskReported(executor, 'other')).status, 'unchecked');
  });
  afterEach(() => room.close());

  const tip = (): string => git(room.repo, 'rev-parse', 'main');
  const read = (file: string): string => readFileSync(path.join(room.repo, file), 'utf8');
  const landingOf = (id: string): LandingState | null | undefined => executor.state.tasks.get(id)?.landing;
  const sleepers = (): string[] => commandLines().filter((line) => line.includes(sleeping));

  /** The branch goes on, so that the result is laid over it and checked anew; the user has work that is not committed. */
  function goesOn(file: string): void {
    writeFiles(room.repo, { [file]: 'meanwhile\n' });
    commitAll(room.repo, 'Meanwhile');
    writeFiles(room.repo, {
      'staged.txt': 'mine, staged\n',
      'test/value.test.sh': 'true # mine\n',
      'notes.txt': 'mine\n',
    });
    git(room.repo, 'add', 'staged.txt');
  }

  /** All that may not be another after it: the user's branch, index and files, git's own places, the task, folders of runs. */
  function everything(): unknown {
    const inGit = readdirSync(path.join(room.repo, '.git'), { recursive: true }).map(String);
    const inRuns = readdirSync(path.join(room.storage, 'runs'), { recursive: true }).map(String);
    const [right, other] = ['right', 'other'].map((id) => executor.state.tasks.get(id));
    return {
      ...repositoryFingerprint(room.repo),
      branches: git(room.repo, 'for-each-ref', '--format=%(refname) %(objectname)'),
      worktrees: git(room.repo, 'worktree', 'list'),
      // Objects that nothing names are git's to clear away.
      git: inGit.filter((name) => !name.startsWith('objects')).toSorted(),
      runs: inRuns.toSorted(),
      mine: ['staged.txt', 'test/value.test.sh', 'notes.txt', 'value.txt'].map(read),
      tasks: [right, other].map((task) => [task?.status, task?.landing, task?.reason]),
    };
  }

  async function endOf(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => 'landed',
      (error: unknown) => (isUserError(error) ? error.code : `${isCancellation(error)}: ${messageOf(error)}`),
    );
  }
  const givenUp = 'true: It was cancelled. Nothing was changed.';

  /** Resolves with what `act` makes of it at the very moment at which the event is kept. */
  function at<T>(kind: AirlockEvent['kind'], act: () => T): Promise<T> {
    return new Promise((resolve) => {
      const following = executor.onDidAppend((events) => {
        if (!events.some((event) => event.kind === kind)) return;
        following.dispose();
        resolve(act());
      });
    });
  }

  async function sleeps(): Promise<void> {
    while (sleepers().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  it('is over at once while it waits for its turn, and the one before it goes on', async () => {
    goesOn('slow.txt');
    const before = everything();
    const first = endOf(executor.land('right'));
    await sleeps();
    const second = endOf(executor.land('other'));
    const waits = ({ tasks }: LiveState): true | undefined => tasks.get('other')?.landingWaits;
    assert.equal(await stateFits(executor, waits), true);
    const show = room.command(['show', 'other']).exited;
    assert.match((await show).stdout, /^accepted +it waits for its turn$/m);
    await executor.cancelLanding('other');
    assert.deepEqual([await second, waits(executor.state)], [givenUp, undefined]);
    assert.deepEqual([landingOf('other'), landingOf('right')?.phase, sleepers().length > 0], [null, 'merging', true]);
    await executor.cancelLanding('right');
    assert.equal(await first, givenUp);
    assert.deepEqual(everything(), before);
  });

  it('changes nothing while it is laid over the branch', async () => {
    goesOn('meanwhile.txt');
    const before = everything();
    const cancelling = at('landing.started', () => executor.cancelLanding('right'));
    assert.equal(await endOf(executor.land('right')), givenUp);
    await cancelling;
    assert.deepEqual(everything(), before);
  });

  it('ends the jail of a check with all that runs in it', async () => {
    goesOn('slow.txt');
    const before = everything();
    const landing = endOf(executor.land('right'));
    await sleeps();
    assert.equal(landingOf('right')?.checks.length, 1);
    await executor.cancelLanding('right');
    assert.deepEqual([await landing, await processesThatName(sleeping)], [givenUp, []]);
    assert.deepEqual(everything(), before);
  });

  it('is not stopped half-way while the branch is moved: it is landed, and says so', async () => {
    const [from, commit] = [tip(), git(room.repo, 'rev-parse', 'airlock/right-1')];
    writeFiles(room.repo, { 'notes.txt': 'mine\n' });
    const cancelling = at('landing.moving', () => executor.cancelLanding('right'));
    assert.deepEqual(await executor.land('right'), { ref: 'refs/heads/main', from, commit });
    await cancelling;
    assert.deepEqual([tip(), read('value.txt'), read('notes.txt')], [commit, 'right\n', 'mine\n']);
    assert.deepEqual([executor.state.tasks.get('right')?.status, landingOf('right')?.phase], ['landed', 'landed']);
    assert.equal(git(room.repo, 'status', '--porcelain'), '?? notes.txt');
  });

  it('can be given up twice, and when there is none', async () => {
    goesOn('slow.txt');
    const before = everything();
    await executor.cancelLanding('right');
    const landing = endOf(executor.land('right'));
    await sleeps();
    await Promise.all([executor.cancelLanding('right'), executor.cancelLanding('right')]);
    await executor.cancelLanding('right');
    assert.equal(await landing, givenUp);
    assert.deepEqual(everything(), before);
  });

  it('can be accepted again, even while the one before it is still ending', async () => {
    goesOn('meanwhile.txt');
    const [before, staged] = [tip(), git(room.repo, 'status', '--porcelain')];
    const cancelling = at('landing.started', () => void executor.cancelLanding('right'));
    const first = endOf(executor.land('right'));
    await cancelling;
    const { from, commit } = await executor.land('right');
    assert.equal(await first, givenUp);
    assert.deepEqual([from, tip(), read('value.txt')], [before, commit, 'right\n']);
    assert.equal(git(room.repo, 'status', '--porcelain'), staged);
  });

  it('leaves nothing when the executor ends in the midst of a check', async () => {
    goesOn('slow.txt');
    const before = everything();
    const landing = endOf(executor.land('right'));
    await sleeps();
    await executor.shutdown();
    assert.deepEqual([/^true: /.test(await landing), await processesThatName(sleeping)], [true, []]);
    executor = await room.open();
    assert.deepEqual(everything(), before);
  });

  describe('with `airlock land`', () => {
    it('changes nothing at Ctrl-C, where another process has the executor', async () => {
      goesOn('slow.txt');
      const before = everything();
      const land = room.command(['land', 'right']);
      await sleeps();
      land.kill('SIGINT');
      const { code, stdout, stderr } = await land.exited;
      assert.deepEqual([code, stdout], [130, '']);
      assert.match(stderr, /It was cancelled\. Nothing was changed\./);
      await stateFits(executor, () => (landingOf('right') === null ? true : undefined));
      assert.deepEqual(await processesThatName(sleeping), []);
      assert.deepEqual(everything(), before);
    });

    it('is told by another command that it is given up', async () => {
      goesOn('slow.txt');
      const before = everything();
      const land = room.command(['land', 'right']);
      await sleeps();
      const { code, stdout } = await room.command(['cancel', 'right']).exited;
      assert.deepEqual([code, stdout], [0, 'right is not accepted.\n']);
      assert.equal((await land.exited).code, 130);
      assert.deepEqual(everything(), before);
    });

    it('changes nothing at Ctrl-C, where it is the executor itself', async () => {
      goesOn('slow.txt');
      const before = everything();
      await executor.shutdown();
      const land = room.command(['land', 'right']);
      await sleeps();
      land.kill('SIGINT');
      assert.equal((await land.exited).code, 130);
      assert.deepEqual(await processesThatName(sleeping), []);
      executor = await room.open();
      assert.deepEqual(everything(), before);
    });
  });
});
