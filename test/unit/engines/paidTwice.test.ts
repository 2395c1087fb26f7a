import assert from 'node:assert/strict';
import { broken, calls, says } from '../../fakes/messagesApiTurns';
import { EngineHarness, MemoryHost } from './harness';

describe('the fake Messages API', () => {
  let harness: EngineHarness;
  afterEach(() => harness.close());

  it('notices a turn that was answered and is asked for again', async () => {
    harness = await EngineHarness.start(() => says('Hi.'));
    await (await harness.open()).send('Go');
    assert.deepEqual(harness.api.paidTwice(), []);
    // A host that lost the answer asks once more.
    await (await harness.open({ host: new MemoryHost() })).send('Go');
    assert.deepEqual(
      harness.api.paidTwice().map((request) => request.index),
      [1],
    );
  });

  it('takes no conversation that went on, and no answer that broke off, for one that was paid twice', async () => {
    harness = await EngineHarness.start([calls('bash', {}), broken({ kind: 'end' }), says('Done.')]);
    await harness.withTime((await harness.open()).send('Go'));
    assert.deepEqual(harness.api.paidTwice(), []);
    assert.deepEqual(
      harness.api.requests.map((request) => request.outcome),
      ['answered', 'faulted', 'answered'],
    );
  });
});
