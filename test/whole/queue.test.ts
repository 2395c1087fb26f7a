import assert from 'node:assert/strict';
import path from 'node:path';
import { says } from '../fakes/messagesApiTurns';
import type { AirlockEvent } from '../../src/core/events';
import { taskOf } from '../../src/core/liveState';
import type { Executor } from '../../src/core/executor';
import { type BackendFault, WholeBackend } from '../fakes/wholeBackend';
import { honestWork, runs, titleOf, writes } from '../fakes/wholeModel';
import { resultFile, runOf, sampleCheck, stateFits, taskEnded, taskReported, WholeRoom } from '../fakes/wholeRoom';
import { git, makeRepository } from '../unit/workspaces/sampleRepository';

const held = new Set(['accepted', 'in_progress']);

function eventsOf(executor: Executor): AirlockEvent[] {
  const seen: AirlockEvent[] = [];
  executor.onDidAppend((events) => seen.push(...events));
  return seen;
}

function startsIn(events: readonly AirlockEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'run.started' ? [event.taskId] : []));
}

describe('the queue', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('works six tasks off two at a time, and never accepts a third while two are not ended', async () => {
    const ids = ['t1', 't2', 't3', 't4', 't5', 't6'];
    let most = 0;
    room.backend.api.onDidChangeTask(() => {
      most = Math.max(most, room.backend.api.list().filter(({ status }) => held.has(status)).length);
    });
    await room.queues(...ids.map((id) => ({ id, description: id })));
    let now = 0;
    let together = 0;
    for (const id of ids) {
      room.model.plays(id, async () => {
        now += 1;
        together = Math.max(together, now);
        if (together < 2) await room.model.api.requested(2);
        now -= 1;
        return says('Looked.');
      });
    }
    const executor = await room.open({ settings: { concurrency: 2 } });
    for (const id of ids) assert.equal((await taskReported(executor, id)).status, 'unchecked');
    assert.deepEqual([most, together], [2, 2]);
  });

  it('accepts no more than it has slots while what it has waits for a key', async () => {
    await room.setKey(undefined);
    room.model.plays('a', says('Looked.'));
    room.model.plays('b', says('Looked.'));
    room.model.plays('c', says('Looked.'));
    await room.queues(...['a', 'b', 'c'].map((id) => ({ id, description: id })));
    // Without a key this server is asked without one, and refuses.
    const model = { ...room.options().engine, baseUrl: null };
    const executor = await room.open({ settings: { concurrency: 1 }, engine: model as never });
    await stateFits(executor, ({ tasks }) => (tasks.get('a')?.status === 'waiting' ? true : undefined));
    await executor.refreshSources();
    await stateFits(executor, ({ tasks }) => (tasks.size === 3 ? true : undefined));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      room.backend.api.list().map(({ id, status }) => [id, held.has(status)]),
      [
        ['a', true],
        ['b', false],
        ['c', false],
      ],
    );
  });

  it('starts by priority, then by age', async () => {
    const executor = await room.open({ settings: { concurrency: 1 } });
    await executor.pauseQueue();
    await room.queues(
      { id: 'old-low', description: 'old-low', context: { priority: 'P3' } },
      { id: 'old', description: 'old', context: { priority: 'P2' } },
      { id: 'young', description: 'young', context: { priority: 'P2' } },
      { id: 'urgent', description: 'urgent', context: { priority: 'P0' } },
    );
    for (const id of ['old-low', 'old', 'young', 'urgent']) room.model.plays(id, says('Looked.'));
    await stateFits(executor, ({ tasks }) => (tasks.size === 4 ? true : undefined));
    const events = eventsOf(executor);
    await executor.startQueue();
    await taskReported(executor, 'old-low');
    assert.deepEqual(startsIn(events), ['urgent', 'old', 'young', 'old-low']);
  });

  it('starts a dependent task from the result of what it depends on, whichever was offered first', async () => {
    await room.queues(
      { id: 'second', description: 'Second', context: { depends_on: ['first'], checks: [sampleCheck] } },
      { id: 'first', description: 'First', context: { checks: [sampleCheck] } },
    );
    room.model.plays('First', ...honestWork);
    room.model.plays('Second', runs('cp value.txt copy.txt'), says('Copied.'));
    const executor = await room.open();
    assert.equal((await taskReported(executor, 'second')).status, 'verified');
    assert.equal(git(room.repo, 'rev-parse', 'airlock/second-1^'), git(room.repo, 'rev-parse', 'airlock/first-1'));
    assert.equal(resultFile(room, 'airlock/second-1', 'copy.txt'), 'right');
  });

  it('blocks a dependent task when its dependency did not come out well, and says by which', async () => {
    await room.queues(
      { id: 'first', description: 'First', context: { checks: ['false'] } },
      { id: 'second', description: 'Second', context: { depends_on: ['first'] } },
    );
    room.model.plays('First', says('Done.'), says('Done.'));
    const executor = await room.open();
    await taskReported(executor, 'first');
    const second = await stateFits(executor, ({ tasks }) => {
      const task = tasks.get('second');
      return task?.status === 'blocked' ? task : undefined;
    });
    assert.equal(second.reason, 'It depends on “First”, which is contradicted.');
    assert.equal(room.backend.api.get('second')?.status, 'pending');
  });

  it('blocks a ring and what depends on a task that is not there, names them, and lets the user start one all the same', async () => {
    await room.queues(
      { id: 'egg', description: 'Egg', context: { depends_on: ['hen'] } },
      { id: 'hen', description: 'Hen', context: { depends_on: ['egg'] } },
      { id: 'orphan', description: 'Orphan', context: { depends_on: ['done-long-ago'] } },
    );
    room.model.plays('Orphan', says('Looked.'));
    const executor = await room.open();
    const reasons = await stateFits(executor, ({ tasks }) =>
      ['egg', 'hen', 'orphan'].every((id) => tasks.get(id)?.status === 'blocked')
        ? ['egg', 'hen', 'orphan'].map((id) => tasks.get(id)?.reason)
        : undefined,
    );
    assert.deepEqual(reasons, [
      'It depends on itself: “Egg” → “Hen” → “Egg”.',
      'It depends on itself: “Hen” → “Egg” → “Hen”.',
      'It depends on “done-long-ago”, which its source has not offered. If that is done, run this task now by hand.',
    ]);
    await executor.runNow('orphan');
    assert.equal((await taskReported(executor, 'orphan')).status, 'unchecked');
  });

  it('gives a repository no more slots than it may have, and the free ones to others', async () => {
    const other = path.join(room.folder('more'), 'other');
    makeRepository(other, { 'a.txt': 'a' });
    const here = { repositories: () => [room.repo, other] };
    const settings = { concurrency: 2, concurrencyPerRepository: 1 };
    const executor = await room.open({ settings, sources: [], ...here });
    await executor.pauseQueue();
    let now = 0;
    let most = 0;
    const alone = async (): Promise<ReturnType<typeof says>> => {
      most = Math.max(most, (now += 1));
      await room.model.api.requested(2);
      now -= 1;
      return says('Looked.');
    };
    for (const title of ['A', 'B', 'C']) room.model.plays(title, alone);
    const add = (title: string, repo: string): Promise<string> =>
      executor.add({ title, prompt: 'Look.', repo, checks: [] });
    const ids = [await add('A', room.repo), await add('B', room.repo), await add('C', other)];
    const events = eventsOf(executor);
    await executor.startQueue();
    for (const id of ids) await taskEnded(executor, id);
    const [a, b, c] = ids;
    const starts = startsIn(events);
    // The first two begin side by side.
    assert.deepEqual([starts.slice(0, 2).sort(), starts[2], most], [[a, c].sort(), b, 2]);
  });

  it('does not play a persona that there is not', async () => {
    const executor = await room.open({ sources: [] });
    const id = await executor.add({ title: 'Role', prompt: 'Look.', repo: room.repo, persona: 'wizard' });
    const reason = await stateFits(executor, ({ tasks }) => {
      const task = tasks.get(id);
      return task?.waitingOn === 'user' ? task.reason : undefined;
    });
    assert.match(reason, /^There is no persona “wizard”/);
  });

  it('does not let a user’s task wait for a source that cannot be asked', async () => {
    const backend = await WholeBackend.before(room.backend);
    room.ends.push(() => backend.close());
    backend.fault = ({ path }): BackendFault | undefined =>
      path.endsWith('/accept') ? { kind: 'status', status: 503, body: 'busy', type: 'text/plain' } : undefined;
    await room.queues({ id: 'far', description: 'Far', context: { priority: 'P0' } });
    room.model.plays('Mine', says('Looked.'));
    const executor = await room.open({ settings: { concurrency: 1 }, sources: [room.source({ url: backend.url })] });
    await backend.called(({ path }) => path.endsWith('/accept'));
    const mine = await executor.add({ title: 'Mine', prompt: 'Look.', repo: room.repo, priority: 3 });
    assert.equal((await taskEnded(executor, mine)).status, 'unchecked');
  });

  it('keeps a branch that is there already, and puts the result beside it', async () => {
    git(room.repo, 'branch', 'airlock/again-1');
    await room.queues({ id: 'again', description: 'Again', context: { checks: [sampleCheck] } });
    room.model.plays('Again', ...honestWork);
    const executor = await room.open();
    assert.equal((await taskReported(executor, 'again')).status, 'verified');
    assert.equal(runOf(executor, 'again').branch, 'airlock/again-1.2');
    assert.equal(resultFile(room, 'airlock/again-1', 'value.txt'), 'wrong');
    assert.equal(resultFile(room, 'airlock/again-1.2', 'value.txt'), 'right');
  });
});

describe('a cancelled task', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  const moments: [string, AirlockEvent['kind']][] = [
    ['as it is accepted', 'task.accepting'],
    ['as its run starts', 'run.started'],
    ['as its workspace is ready', 'run.prepared'],
    ['as its session is ready', 'session.created'],
    ['as its tool is called', 'tool.called'],
    ['as its tool has answered', 'tool.finished'],
    ['as its check has run', 'check.finished'],
    ['as its verdict is known', 'evidence.recorded'],
  ];
  it('ends as cancelled at any moment, its work so far is a branch, its backend is told, and its slot is free', async () => {
    room.model.plays('Next', says('Looked.'));
    const executor = await room.open({ settings: { concurrency: 2 } });
    const all = eventsOf(executor);
    for (const [title, kind] of moments) {
      const id = kind.replace('.', '-');
      room.model.plays(id, writes('value.txt', 'half\n'), runs('true'), says('Done.'), says('Done.'));
      let cancelled: Promise<void> | undefined;
      const watching = executor.onDidAppend((events) => {
        const isMoment = events.some((event) => event.kind === kind && taskOf(executor.state, event) === id);
        if (isMoment) cancelled ??= executor.cancel(id);
      });
      await room.queues({ id, description: id, context: { checks: [sampleCheck] } });
      const task = await taskReported(executor, id);
      watching.dispose();
      await cancelled;
      assert.equal(task.status, 'cancelled', title);
      const told = room.backend.api.get(id);
      assert.deepEqual([told?.status, told?.error], ['failed', 'The user cancelled it.'], title);
      if (kind === 'tool.finished' || kind === 'check.finished')
        assert.equal(resultFile(room, `airlock/${id}-1`, 'value.txt'), 'half', title);
    }
    // A task that is being cancelled gets no slot again: it would end twice, and a run would go on for nobody.
    const ended = all.flatMap((event) => (event.kind === 'task.ended' ? [event.taskId] : []));
    assert.deepEqual(
      ended,
      moments.map(([, kind]) => kind.replace('.', '-')),
    );
    assert.deepEqual(startsIn(all).includes('task-accepting'), false);
    const next = await executor.add({ title: 'Next', prompt: 'Look.', repo: room.repo });
    assert.equal((await taskEnded(executor, next)).status, 'unchecked');
  });
});

describe('an executor that ends in the middle of a run', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('goes on where it was at the next start: nothing is paid twice, nothing that was finished is done twice', async () => {
    await room.queues({ id: 'long', description: 'Long', context: { checks: [sampleCheck] } });
    const steps = [1, 2, 3, 4, 5].map((n) => runs(`echo ${n} >> log.txt`));
    room.model.plays('Long', ...steps, writes('value.txt', 'right\n'), says('Done.'));
    for (const kind of ['tool.called', 'tool.finished', 'message.recorded', 'check.finished'] as const) {
      const executor = await room.open();
      await new Promise<void>((resolve) => {
        executor.onDidAppend((events) => events.some((event) => event.kind === kind) && resolve());
      });
      await executor.shutdown();
    }
    const executor = await room.open();
    assert.equal((await taskReported(executor, 'long')).status, 'verified');
    assert.equal(runOf(executor, 'long').attempt, 1);
    const lines = resultFile(room, 'airlock/long-1', 'log.txt').split('\n');
    // A call that was interrupted may or may not have taken effect; the script does not repeat it.
    assert.deepEqual([...new Set(lines)], lines);
    assert.deepEqual(room.model.api.paidTwice(), []);
    assert.equal(room.model.api.requests.filter((request) => titleOf(request) === 'Long').length >= 7, true);
  });
});
