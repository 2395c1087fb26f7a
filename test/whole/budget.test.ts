import assert from 'node:assert/strict';
import { noLimits } from '../../src/core/budget';
import { says } from '../fakes/messagesApiTurns';
import { runs } from '../fakes/wholeModel';
import { stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

describe('the budget of a day', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('is never passed: what does not fit waits and says why, survives a restart, and goes on with a higher limit', async () => {
    room.model.plays('First', runs('true'), says('Looked.'));
    room.model.plays('Second', says('Looked.'));
    // An answer of 1,000 tokens is reserved at 1 cent, and a prompt at 4 dollars for a million bytes.
    const settings = { concurrency: 1, maxOutputTokens: 1_000 };
    const budget = { ...noLimits, perDayUsd: 0.001 };
    const executor = await room.open({ settings: { ...settings, budget }, sources: [] });
    const add = (title: string): Promise<string> =>
      executor.add({ title, prompt: 'Look.', repo: room.repo, checks: [] });
    const [first, second] = [await add('First'), await add('Second')];
    const reason = await stateFits(executor, ({ tasks, holds, sessions }) => {
      const task = tasks.get(first);
      return task?.waitingOn === 'budget' && holds.has('budget') && sessions.size === 0 ? task.reason : undefined;
    });
    assert.match(
      reason,
      /^Today’s budget is used up: 0\.00 \$ of 0\.0010 \$ spent, and the next request may take 0\.\d+ \$\./,
    );
    assert.deepEqual([room.model.api.requests.length, executor.state.tasks.get(second)?.status], [0, 'queued']);
    await executor.shutdown();

    const again = await room.open({ settings: { ...settings, budget }, sources: [] });
    assert.equal(again.state.holds.get('budget'), reason);
    assert.equal(again.state.tasks.get(first)?.waitingOn, 'budget');
    await again.shutdown();

    const raised = await room.open({ settings: { ...settings, budget: { ...noLimits, perDayUsd: 5 } }, sources: [] });
    for (const id of [first, second]) assert.equal((await taskEnded(raised, id)).status, 'unchecked');
    const { total, reservations } = raised.state.budget;
    const paid = [...raised.state.tasks.values()].reduce((sum, { spent }) => sum + (spent?.costUsd ?? 0), 0);
    assert.deepEqual([room.model.api.requests.length, reservations.size, total.unseenUsd], [3, 0, 0]);
    assert.ok(total.costUsd > 0);
    assert.equal(total.costUsd.toFixed(9), paid.toFixed(9));
  });
});

describe('an agent that goes round in a loop', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('is stopped before it costs more; its task asks the user, and goes on when that one says so', async () => {
    const again = runs('cat value.txt');
    room.model.plays('Loop', again, again, again, again, again, says('Enough.'));
    const executor = await room.open({ settings: { maxSameCalls: 3 }, sources: [] });
    const id = await executor.add({ title: 'Loop', prompt: 'Look.', repo: room.repo, checks: [] });
    const reason = await stateFits(executor, ({ tasks, sessions }) => {
      const task = tasks.get(id);
      return task?.waitingOn === 'user' && sessions.size === 0 ? task.reason : undefined;
    });
    assert.match(reason, /called bash 4 times in a row with the same input/);
    assert.equal(room.model.api.requests.length, 4);
    await executor.retry(id);
    assert.equal((await taskEnded(executor, id)).status, 'unchecked');
    assert.equal(room.model.api.requests.length, 6);
    assert.deepEqual(room.model.api.paidTwice(), []);
  });

  it('is stopped too when it only looks round and gets nowhere', async () => {
    const looks = [0, 1, 2, 3].map((number) => runs(`cat value.txt; echo ${number}`));
    room.model.plays('Stroll', ...looks, says('Enough.'));
    const executor = await room.open({ settings: { maxIdleTurns: 2 }, sources: [] });
    const id = await executor.add({ title: 'Stroll', prompt: 'Look.', repo: room.repo, checks: [] });
    const reason = await stateFits(executor, ({ tasks, sessions }) => {
      const task = tasks.get(id);
      return task?.waitingOn === 'user' && sessions.size === 0 ? task.reason : undefined;
    });
    assert.match(reason, /^In 3 turns the agent has changed no file/);
    assert.equal(room.model.api.requests.length, 3);
    await executor.retry(id);
    assert.equal((await taskEnded(executor, id)).status, 'unchecked');
    assert.deepEqual(room.model.api.paidTwice(), []);
  });
});
