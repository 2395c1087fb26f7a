import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { AirlockEvent } from '../../src/core/events';
import type { Executor } from '../../src/core/executor';
import { lastTextOf, runs, writes } from '../fakes/wholeModel';
import { says } from '../fakes/messagesApiTurns';
import {
  repositoryFingerprint,
  resultFile,
  runOf,
  sampleCheck,
  stateFits,
  taskEnded,
  WholeRoom,
} from '../fakes/wholeRoom';
import { until } from '../unit/gateway/until';

type Taken = Extract<AirlockEvent, { kind: 'snapshot.taken' }>;

function taken(executor: Executor): Taken[] {
  const found: Taken[] = [];
  executor.onDidAppend((events) => found.push(...events.filter((event) => event.kind === 'snapshot.taken')));
  return found;
}

describe('the files of a run', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('are kept after each turn that changed them, and before each verdict', async () => {
    room.model.plays(
      'Turns',
      writes('value.txt', 'half\n'),
      runs('cat value.txt'),
      runs('echo 1 > new; echo 2 > other'),
      says('Done.'),
      writes('value.txt', 'right\n'),
      says('Done now.'),
    );
    const executor = await room.open();
    const snapshots = taken(executor);
    const id = await executor.add({ title: 'Turns', prompt: 'Turns.', checks: [sampleCheck] });
    assert.equal((await taskEnded(executor, id)).status, 'verified');
    assert.deepEqual(
      snapshots.map(({ index, cause, filesChanged }) => [index, cause, filesChanged]),
      [
        [1, 'turn', 1],
        [2, 'turn', 2],
        [3, 'turn', 1],
      ],
    );
    assert.deepEqual(
      runOf(executor, id).snapshots.map(({ index, verdict }) => [index, verdict]),
      [
        [1, null],
        [2, 'contradicted'],
        [3, 'verified'],
      ],
    );
  });

  it('are kept as often as the settings say: the oldest make room, and one that is too large is said and harms nothing', async () => {
    const turns = Array.from({ length: 9 }, (_, turn) => writes('value.txt', `${turn}\n`));
    room.model.plays(
      'Many',
      ...turns,
      runs('head -c 300000 /dev/urandom > big'),
      writes('value.txt', 'right\n'),
      says('Done.'),
    );
    const executor = await room.open({ settings: { maxSnapshots: 3, maxSnapshotBytes: 250_000 } });
    const id = await executor.add({ title: 'Many', prompt: 'Many.', checks: [sampleCheck] });
    assert.equal((await taskEnded(executor, id)).status, 'verified');
    const run = runOf(executor, id);
    assert.deepEqual(
      run.snapshots.map(({ index, cause }) => [index, cause]),
      [
        [9, 'turn'],
        [10, 'verdict'],
      ],
    );
    let shown = '';
    const watched = await executor.watchSession(run.sessionId ?? '', (text) => (shown += text));
    watched.dispose();
    assert.equal(shown.split('could not be kept after this turn').length, 2);
  });

  it('are put back while the model thinks: the agent is told, and it can be undone', async () => {
    let release = (): void => {};
    const thinking = new Promise<void>((resolve) => (release = resolve));
    let heard = '';
    room.model.plays(
      'Back',
      writes('value.txt', 'good\n'),
      runs('echo bad > value.txt; echo x > extra'),
      async () => {
        await thinking;
        return runs('cat value.txt; ls');
      },
      (request) => {
        heard = lastTextOf(request);
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    const executor = await room.open();
    const id = await executor.add({ title: 'Back', prompt: 'Back.', checks: [sampleCheck] });
    await stateFits(executor, ({ runs: all }) =>
      [...all.values()].some(({ snapshots }) => snapshots.length === 2) ? true : undefined,
    );
    const restored = await executor.restoreSnapshot(id, 1);
    assert.deepEqual(
      { savedAs: restored.savedAs, files: restored.files.map(({ path, kind }) => [path, kind]) },
      {
        savedAs: 2,
        files: [
          ['extra', 'deleted'],
          ['value.txt', 'modified'],
        ],
      },
    );
    release();
    assert.equal((await taskEnded(executor, id)).status, 'verified');
    assert.match(heard, /put files in \/workspace back .* That changed: "extra", "value.txt"/);
    assert.match(heard, /good\ntest\nvalue.txt/);
  });

  it('are put back while the run waits, and the agent is told when it goes on', async () => {
    let heard = '';
    room.model.plays(
      'Later',
      writes('value.txt', 'good\n'),
      runs('echo bad > value.txt'),
      runs('sleep 600', 600),
      (request) => {
        heard = lastTextOf(request);
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    const executor = await room.open();
    const id = await executor.add({ title: 'Later', prompt: 'Later.', checks: [sampleCheck] });
    const session = await stateFits(executor, ({ sessions }) => [...sessions.keys()][0]);
    let shown = '';
    const watched = await executor.watchSession(session, (text) => (shown += text));
    await until(() => shown.includes('sleep 600'));
    watched.dispose();
    await assert.rejects(executor.restoreSnapshot(id, 1), { code: 'session-busy' });
    await assert.rejects(executor.restoreSnapshot(id, 9), { code: 'unknown-snapshot' });
    await executor.stopQueue();
    assert.deepEqual(await executor.restoreSnapshot(id, 1), {
      savedAs: 2,
      files: [{ path: 'value.txt', oldPath: null, kind: 'modified', insertions: 1, deletions: 1 }],
    });
    await executor.startQueue();
    assert.equal((await taskEnded(executor, id)).status, 'verified');
    assert.match(heard, /That changed: "value.txt"[^]*interrupted/);
  });

  it('stay when the run has ended: to compare, to read, and to make a branch of', async () => {
    room.model.plays('Ended', writes('value.txt', 'half\n'), writes('value.txt', 'right\n'), says('Done.'));
    const executor = await room.open();
    const id = await executor.add({ title: 'Ended', prompt: 'Ended.', checks: [sampleCheck] });
    await taskEnded(executor, id);
    const workspace = path.join(room.storage, 'runs', runOf(executor, id).id, 'workspace');
    await until(() => !existsSync(workspace));
    await executor.shutdown();
    const again = await room.open();
    assert.deepEqual(
      (await again.snapshotChanges(id, 0, 1)).map((file) => [file.path, file.kind]),
      [['value.txt', 'modified']],
    );
    assert.equal(Buffer.from((await again.readSnapshotFile(id, 1, 'value.txt')) ?? []).toString(), 'half\n');
    const before = repositoryFingerprint(room.repo);
    const published = await again.publishSnapshot(id, 1);
    assert.deepEqual(await again.publishSnapshot(id, 1), published);
    assert.equal(published.branch, `airlock/${id}-1-s1`);
    assert.equal(resultFile(room, published.branch, 'value.txt'), 'half');
    assert.deepEqual(repositoryFingerprint(room.repo), before);
    assert.equal(runOf(again, id).snapshots[0]?.branch, published.branch);
    await assert.rejects(again.restoreSnapshot(id, 1), { code: 'workspace-gone' });
  });
});

describe('what is left of workspaces', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  const all = { olderThanMs: 0, dryRun: false, force: null };

  function removals(executor: Executor): [string, string][] {
    const found: [string, string][] = [];
    executor.onDidAppend((events) => {
      for (const event of events) if (event.kind === 'workspace.removed') found.push([event.runId, event.cause]);
    });
    return found;
  }

  it('is listed with its size, and is deleted when nobody can miss it; work that is in no branch is kept until it is named', async () => {
    room.model.plays('Whole', writes('value.txt', 'right\n'), says('Done.'));
    // A pipe cannot be a part of a result, so the files stay.
    room.model.plays('Odd', runs('echo right > value.txt; mkfifo odd'), says('Done.'));
    room.model.plays('Living', writes('value.txt', 'half\n'), runs('sleep 600', 600));
    const executor = await room.open({ settings: { concurrency: 3 } });
    const [whole = '', odd = '', living = ''] = await Promise.all(
      ['Whole', 'Odd', 'Living'].map((title) => executor.add({ title, prompt: title, checks: [sampleCheck] })),
    );
    await Promise.all([taskEnded(executor, whole), taskEnded(executor, odd)]);
    await stateFits(executor, ({ runs: known }) =>
      [...known.values()].some(({ taskId, snapshots }) => taskId === living && snapshots.length > 0) ? true : undefined,
    );
    const stateOf = async (taskId: string) =>
      (await executor.workspaces()).find((workspace) => workspace.taskId === taskId)?.state;
    while ((await stateOf(whole)) !== 'published') await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await Promise.all([odd, living].map(stateOf)), ['unlanded', 'living']);
    for (const { sizeBytes, repo } of await executor.workspaces()) {
      assert.ok(sizeBytes !== null && sizeBytes > 4_096);
      assert.equal(repo, room.repo);
    }

    const removed = removals(executor);
    const outcome = async (cleaning: Parameters<Executor['cleanWorkspaces']>[0]) =>
      new Map((await executor.cleanWorkspaces(cleaning)).map(({ taskId, reason }) => [taskId, reason]));
    const kept = [
      [odd, 'it holds work that is in no branch'],
      [living, 'its run has not ended'],
    ];
    assert.equal((await outcome({ ...all, olderThanMs: 3_600_000 })).get(whole), 'it is not old enough');
    assert.equal((await outcome({ ...all, dryRun: true })).get(whole), '');
    assert.deepEqual(removed, []);
    const cleaned = await outcome(all);
    assert.deepEqual([...cleaned].filter(([taskId]) => taskId !== whole).sort(), [...kept].sort());
    assert.deepEqual(removed, [[runOf(executor, whole).id, 'user']]);
    assert.deepEqual(runOf(executor, whole).snapshots, []);
    assert.equal(await stateOf(whole), undefined);

    assert.deepEqual(await outcome({ ...all, force: living }), new Map([[living, 'its run has not ended']]));
    assert.deepEqual(await outcome({ ...all, force: odd }), new Map([[odd, '']]));
    assert.deepEqual(removed.at(-1), [runOf(executor, odd).id, 'forced']);
    await assert.rejects(executor.cleanWorkspaces({ ...all, force: odd }), { code: 'unknown-workspace' });
    assert.deepEqual(
      (await executor.workspaces()).map(({ taskId }) => taskId),
      [living],
    );
    assert.equal(resultFile(room, `airlock/${whole}-1`, 'value.txt'), 'right');
  });

  it('goes by itself when it was kept as long as the settings say, and an earlier attempt’s files do not', async () => {
    room.model.plays('Twice', writes('value.txt', 'bad\n'), runs('mkfifo odd'), says('Done.'));
    const executor = await room.open({ settings: { maxFixRounds: 0 } });
    const id = await executor.add({ title: 'Twice', prompt: 'Twice.', checks: [sampleCheck] });
    await taskEnded(executor, id);
    const first = runOf(executor, id).id;
    room.model.plays('Twice', writes('value.txt', 'right\n'), says('Done.'));
    await executor.retry(id);
    await stateFits(executor, ({ tasks }) => (tasks.get(id)?.status === 'verified' ? true : undefined));
    const second = runOf(executor, id).id;
    await until(() => !existsSync(path.join(room.storage, 'runs', second, 'workspace')));
    await executor.shutdown();
    const again = await room.open({ settings: { keepWorkspacesMs: 0 } });
    await until(() => !existsSync(path.join(room.storage, 'runs', second, 'host.git')));
    assert.deepEqual(
      (await again.workspaces()).map(({ runId, taskId, state }) => [runId, taskId, state]),
      [[first, null, 'orphan']],
    );
    assert.deepEqual(
      (await again.cleanWorkspaces(all)).map(({ reason }) => reason),
      ['it holds work that is in no branch'],
    );
  });
});
