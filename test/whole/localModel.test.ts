import assert from 'node:assert/strict';
import type { EngineChoice } from '../../src/assemble';
import { noLimits } from '../../src/core/budget';
import { noUsage } from '../../src/core/usage';
import type { FakeTurn } from '../fakes/messagesApi';
import { calls, says } from '../fakes/messagesApiTurns';
import { runs } from '../fakes/wholeModel';
import { runOf, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

describe('a model on this machine', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  /** @param onProbe what it does when it is asked to call a tool, each time. */
  function local(...onProbe: readonly FakeTurn[]): EngineChoice {
    room.model.plays('', [...onProbe]);
    return {
      kind: 'anthropic',
      credential: { kind: 'authToken', read: () => Promise.resolve(undefined) },
      baseUrl: room.model.api.baseUrl,
      model: 'qwen3:8b',
    };
  }

  const able = calls('report_ready', { word: 'ready' });

  it('costs nothing, so that no limit in dollars holds it; its tokens are counted', async () => {
    room.model.plays('Look', runs('true'), says('Looked.'));
    const settings = { budget: { ...noLimits, perDayUsd: 0.001 } };
    const executor = await room.open({ settings, sources: [], engine: local(able) });
    const id = await executor.add({ title: 'Look', prompt: 'Look.', repo: room.repo, checks: [] });
    assert.equal((await taskEnded(executor, id)).status, 'unchecked');
    const { costUsd, usage } = runOf(executor, id);
    assert.deepEqual([costUsd, usage], [0, { ...noUsage, inputTokens: 200, outputTokens: 40 }]);
    assert.deepEqual(
      room.model.api.requests.map(({ headers }) => headers['anthropic-beta']),
      [undefined, undefined, undefined],
    );
  });

  it('that calls no tools is not worked with: its task waits, says what to do, and goes on when that was done', async () => {
    room.model.plays('Look', says('Looked.'));
    const executor = await room.open({ sources: [], engine: local(says('I call it.'), able) });
    const id = await executor.add({ title: 'Look', prompt: 'Look.', repo: room.repo, checks: [] });
    const reason = await stateFits(executor, ({ tasks, sessions }) => {
      const task = tasks.get(id);
      return task?.waitingOn === 'user' && sessions.size === 0 ? task.reason : undefined;
    });
    assert.match(
      reason,
      /^The model “qwen3:8b” at http:\S+ calls no tools.*Choose another model.*then retry the task\.$/,
    );
    assert.equal(room.model.api.requests.length, 1);
    await executor.retry(id);
    assert.equal((await taskEnded(executor, id)).status, 'unchecked');
    assert.equal(room.model.api.requests.length, 3);
  });
});
