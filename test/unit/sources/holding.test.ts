import assert from 'node:assert/strict';
import type { ZMemoryApi } from '../../../src/sources/zmemory/api';
import { Holding } from '../../../src/sources/zmemory/holding';
import type { WireTaskState } from '../../../src/sources/zmemory/wire';
import { FakeClock } from '../../fakes/clock';

type Api = Pick<ZMemoryApi, 'accept' | 'setStatus' | 'stateOf'>;

describe('a task that a server gave us', () => {
  /** A server that has the task so, and takes word of it or refuses. */
  function serverWith(state: Pick<WireTaskState, 'status' | 'agent'> | undefined, takes = true): Api {
    const task = state && { id: 'one', ...state };
    return {
      accept: async () => ({ kind: 'done' }),
      setStatus: async () => (takes ? { kind: 'done', ...(task ? { task } : {}) } : { kind: 'refused', reason: 'no' }),
      stateOf: async () => task,
    };
  }
  const keep = (api: Api) => new Holding(api, 'airlock', new FakeClock()).keep('one', 40);

  for (const status of ['in_progress', 'Running', 'pending', 'paused', 'IN-PROGRESS', 'en cours', '']) {
    it(`is held while it is not said to be over: ${JSON.stringify(status)}`, async () => {
      assert.deepEqual(await keep(serverWith({ status })), { kind: 'held' });
      assert.deepEqual(await keep(serverWith({ status, agent: 'airlock' }, false)), { kind: 'held' });
    });
  }

  const over = [
    'completed',
    'complete',
    'Done',
    'success',
    'failed',
    'error',
    'cancelled',
    'canceled',
    'expired',
    'rejected',
  ];
  for (const status of over) {
    it(`is lost once it is over there: ${status}`, async () => {
      const lost = { kind: 'lost', reason: `The server has it as ${status}.` };
      assert.deepEqual(await keep(serverWith({ status, agent: 'airlock' })), lost);
      assert.deepEqual(await keep(serverWith({ status }, false)), lost);
    });
  }

  it('is lost once another agent has it, whatever its state', async () => {
    for (const status of ['in_progress', 'paused']) {
      assert.deepEqual(await keep(serverWith({ status, agent: 'other' })), {
        kind: 'lost',
        reason: 'The server has given it to “other”.',
      });
    }
  });

  describe('is told a report', () => {
    let asked: number;
    /** As `serverWith`, and counts how often it is asked what became of the task. */
    const holdingWith = (state: Pick<WireTaskState, 'status' | 'agent'>, clock = new FakeClock()): Holding => {
      const api = serverWith(state);
      return new Holding({ ...api, stateOf: (id) => ((asked += 1), api.stateOf(id)) }, 'airlock', clock);
    };
    const others = { status: 'in_progress', agent: 'other' };

    beforeEach(() => (asked = 0));

    it('without asking for two minutes after the server said that it is ours', async () => {
      const clock = new FakeClock();
      const holding = holdingWith({ status: 'in_progress', agent: 'airlock' }, clock);
      for (let count = 0; count < 3; count += 1) await holding.throwIfLost('one');
      assert.equal(asked, 1);
      await clock.advance(120_000);
      await holding.throwIfLost('one');
      assert.equal(asked, 2);
    });

    it('after asking each time while it is on offer there', async () => {
      const holding = holdingWith({ status: 'pending' });
      for (let count = 0; count < 2; count += 1) await holding.throwIfLost('one');
      assert.equal(asked, 2);
    });

    it('no more once it was lost, however lately it was ours', async () => {
      const holding = holdingWith(others);
      holding.noteHeld('one');
      await holding.throwIfLost('one');
      assert.equal((await holding.keep('one', null)).kind, 'lost');
      await assert.rejects(holding.throwIfLost('one'), { code: 'source-gave-elsewhere' });
    });
  });

  it('is held while the server does not say', async () => {
    assert.deepEqual(await keep(serverWith(undefined)), { kind: 'held' });
    assert.deepEqual(await keep(serverWith(undefined, false)), { kind: 'held' });
  });
});
