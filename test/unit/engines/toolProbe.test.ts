import assert from 'node:assert/strict';
import { CancelledError, UserError } from '../../../src/base/errors';
import { defaultEngineLimits } from '../../../src/engines/anthropic/engineOptions';
import { ToolProbe } from '../../../src/engines/anthropic/toolProbe';
import type { FakeScript, FakeTurn } from '../../fakes/messagesApi';
import {
  broken,
  calls,
  keyRefused,
  resetBeforeHeaders,
  says,
  status,
  stopsWith,
  text,
} from '../../fakes/messagesApiTurns';
import { EngineHarness, MemoryHost, testKey, testTools } from './harness';

const able = calls('report_ready', { word: 'ready' });

describe('a model that costs nothing', () => {
  let harness: EngineHarness;
  afterEach(() => harness.close());

  async function start(script: FakeScript): Promise<EngineHarness> {
    harness = await EngineHarness.start(script);
    return harness;
  }

  function probe(changes: Partial<ConstructorParameters<typeof ToolProbe>[0]> = {}): ToolProbe {
    const { clock, api } = harness;
    const endpoint = { baseUrl: api.baseUrl, isAnthropic: false };
    return new ToolProbe({ endpoint, limits: defaultEngineLimits, isFree: () => true, clock, ...changes });
  }

  function beginning(model = 'qwen3:8b'): Parameters<ToolProbe['require']>[0] {
    return { model, tools: testTools, history: [], signal: harness.abort.signal };
  }

  const key = { kind: 'authToken', secret: testKey } as const;

  it('is asked once to call a tool before its first conversation, and nothing of that is in it', async () => {
    await start([able, says('Done.'), says('Done again.')]);
    const isFree = (model: string): boolean => model === 'qwen3:8b';
    const conversation = await harness.open({ model: 'qwen3:8b' }, { isFree });
    assert.deepEqual(await conversation.send('Hi'), { kind: 'done', text: 'Done.' });
    const [asked, first] = harness.api.requests;
    assert.deepEqual(
      asked?.body.tools?.map(({ name }) => name),
      ['report_ready'],
    );
    assert.equal(asked?.headers['anthropic-beta'], undefined);
    assert.deepEqual(first?.body.messages, [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }]);
    assert.deepEqual([harness.host.requests, harness.host.messages.length], [1, 2]);
  });

  it('is asked once for all runs, those that begin meanwhile too', async () => {
    await start(() => able);
    const asking = probe();
    await Promise.all([asking.require(beginning(), key), asking.require(beginning(), key)]);
    await asking.require(beginning(), key);
    assert.equal(harness.api.requests.length, 1);
    await asking.require(beginning('another'), key);
    assert.equal(harness.api.requests.length, 2);
  });

  for (const [what, turn, why] of [
    ['answers in words', says('I call report_ready("ready").'), /Asked to call one, it answered in words alone\./],
    [
      'has a server that refuses tools for it',
      status(400, 'invalid_request_error', `registry.ollama.ai/library/gemma:2b does not support tools ${testKey}`),
      /gemma:2b does not support tools \(the key\)/,
    ],
    [
      'has a server that has to be told of tools, and calls that a failure of its own',
      status(500, 'api_error', 'tools param requires --jinja flag'),
      /tools param requires --jinja flag/,
    ],
  ] as const satisfies readonly (readonly [string, FakeTurn, RegExp])[]) {
    it(`is not worked with when it ${what}, which is said with what to do, and it is asked again the next time`, async () => {
      await start([turn, able]);
      const asking = probe();
      await assert.rejects(asking.require(beginning(), key), (error: unknown) => {
        assert.ok(error instanceof UserError && error.code === 'model-without-tools', String(error));
        assert.match(error.message, /^The model “qwen3:8b” at http:\S+ calls no tools/);
        assert.match(error.message, why);
        assert.match(error.message, /Choose another model/);
        return true;
      });
      await asking.require(beginning(), key);
      assert.equal(harness.api.requests.length, 2);
    });
  }

  for (const [what, turn] of [
    ['nobody is there', resetBeforeHeaders],
    ['the answer breaks off', broken({ kind: 'end' })],
    ['the key is refused', keyRefused()],
    ['the server fails', status(500, 'api_error', 'oops')],
    ['the model is still thinking when its answer is cut', stopsWith('max_tokens', text('Hm'))],
  ] as const) {
    it(`is let work when ${what}: its conversation will show what is wrong`, async () => {
      await start([turn]);
      await probe().require(beginning(), key);
      assert.equal(harness.api.requests.length, 1);
    });
  }

  it('that says nothing is waited for as long as any other', async () => {
    await start([broken({ kind: 'stall' }, 0)]);
    await harness.withTime(probe().require(beginning(), key));
    assert.equal(harness.clock.pendingTimers, 0);
  });

  it('is not waited for by a run that ends, and the next run asks it anew', async () => {
    await start([broken({ kind: 'stall' }), able]);
    const asking = probe();
    const first = asking.require(beginning(), key);
    await harness.api.requested(1);
    const other = new AbortController();
    const second = asking.require({ ...beginning(), signal: other.signal }, key);
    harness.abort.abort();
    await assert.rejects(first, CancelledError);
    await second;
    assert.equal(harness.api.requests.length, 2);
  });

  it('is never asked at Anthropic’s own server, for a model that has a price, without tools, or in the middle', async () => {
    await start([]);
    const atAnthropic = { baseUrl: harness.api.baseUrl, isAnthropic: true };
    await probe({ endpoint: atAnthropic }).require(beginning(), key);
    await probe({ isFree: () => false }).require(beginning(), key);
    await probe().require({ ...beginning(), tools: [] }, key);
    const host = new MemoryHost();
    await host.record({ role: 'user', content: [], messageId: null, stopReason: null, model: null, usage: null });
    await probe().require({ ...beginning(), history: host.messages }, key);
    assert.deepEqual(harness.api.requests, []);
  });
});
