import assert from 'node:assert/strict';
import { openExecutor } from '../../src/assemble';
import type { Executor } from '../../src/core/executor';
import type { SessionId } from '../../src/core/ids';
import { says } from '../fakes/messagesApiTurns';
import { lastTextOf, runs } from '../fakes/wholeModel';
import { sampleCheck, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';
import { until } from './sessionsFixture';

const size = { columns: 90, rows: 25 };

describe('a session that is taken over from another process', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  async function window(): Promise<Executor> {
    const executor = await openExecutor(room.options(), 'look');
    room.executors.unshift(executor);
    assert.equal(executor.place.kind, 'elsewhere');
    return executor;
  }

  const livingSession = (executor: Executor): Promise<SessionId> =>
    stateFits(executor, ({ sessions }) => [...sessions.keys()][0]);

  const takenOver = (executor: Executor, is: boolean): Promise<true> =>
    stateFits(executor, ({ sessions }) =>
      [...sessions.values()].some(({ takenOver: taken }) => taken === is) ? true : undefined,
    );

  it('is the user’s until it is given back; then the agent is told, and the user’s work is in the result', async () => {
    let told = '';
    room.model.plays('Fix', runs('echo begun; until [ -e go ]; do sleep 0.05; done; echo gone'), (request) => {
      told = lastTextOf(request);
      return says('Done.');
    });
    const owner = await room.open();
    const taskId = await owner.add({ title: 'Fix', prompt: 'Fix it.', checks: [sampleCheck] });
    const user = await window();
    const sessionId = await livingSession(user);
    let shown = '';
    await user.watchSession(sessionId, (text) => (shown += text));
    await until(() => shown.includes('begun\r\n'));
    const keyboard = await user.takeOver(sessionId, size);
    await takenOver(owner, true);
    await assert.rejects(owner.takeOver(sessionId, size), { code: 'session-taken' });
    keyboard.write('stty size; echo right > value.txt; touch go; echo type"d"\r');
    await until(() => /25 90\r\n[^]*typed\r\n/.test(shown));
    assert.doesNotMatch(shown, /\r\ngone/);
    await keyboard.giveBack();
    assert.equal((await taskEnded(user, taskId)).status, 'verified');
    assert.match(told, /took over the terminal[^]*They changed: "go", "value\.txt"\.[^]*begun\ngone/);
  }).timeout(60_000);

  it('can be read in its terminal when it is over, by a later process too', async () => {
    room.model.plays('Short', runs('echo this was shown'), says('Done.'));
    const first = await room.open();
    const taskId = await first.add({ title: 'Short', prompt: 'Short.', checks: [] });
    const sessionId = await livingSession(first);
    await taskEnded(first, taskId);
    await first.shutdown();
    const second = await room.open();
    let shown = '';
    (await second.watchSession(sessionId, (text) => (shown += text))).dispose();
    assert.match(shown, /\$[^\n]*echo this was shown[^\n]*\nthis was shown\r\n[^]*Session ended/);
    await assert.rejects(
      second.watchSession('session-0', () => {}),
      { code: 'unknown-session' },
    );
  }).timeout(60_000);

  it('goes back to the agent when the window goes away', async () => {
    room.model.plays('Wait', runs('until [ -e go ]; do sleep 0.05; done'), says('Done.'));
    const owner = await room.open();
    const taskId = await owner.add({ title: 'Wait', prompt: 'Wait.', checks: [] });
    const user = await window();
    const keyboard = await user.takeOver(await livingSession(user), size);
    let shown = '';
    await owner.watchSession(await livingSession(owner), (text) => (shown += text));
    keyboard.write('touch go; echo type"d"\r');
    await takenOver(owner, true);
    await until(() => shown.includes('typed\r\n'));
    await user.shutdown();
    await takenOver(owner, false);
    await taskEnded(owner, taskId);
  }).timeout(60_000);

  it('is over for the user when the task is cancelled', async () => {
    room.model.plays('Wait', runs('sleep 600', 600));
    const owner = await room.open();
    const taskId = await owner.add({ title: 'Wait', prompt: 'Wait.', checks: [] });
    const user = await window();
    const keyboard = await user.takeOver(await livingSession(user), size);
    let ended = 0;
    keyboard.onDidEnd(() => (ended += 1));
    await user.cancel(taskId);
    await until(() => ended === 1);
    await assert.rejects(user.takeOver('session-0', size), { code: 'unknown-session' });
  }).timeout(60_000);
});
