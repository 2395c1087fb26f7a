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

  it('is held while the server does not say', async () => {
    assert.deepEqual(await keep(serverWith(undefined)), { kind: 'held' });
    assert.deepEqual(await keep(serverWith(undefined, false)), { kind: 'held' });
  });
});
