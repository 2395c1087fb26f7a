import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import type { ConversationMessage, ToolImage } from '../../../src/core/engine';
import { RequestShape } from '../../../src/engines/anthropic/requestShape';
import { badRequest, calls, reply, says, status, toolUse } from '../../fakes/messagesApiTurns';
import type { FakeScript } from '../../fakes/messagesApi';
import { EngineHarness, MemoryHost } from './harness';

const image: ToolImage = { mediaType: 'image/png', bytes: Buffer.from('pixels') };
const nothing = { messageId: null, stopReason: null, model: null, usage: null };
const sentImage = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'cGl4ZWxz' } };

describe('what not every server and model takes', () => {
  let harness: EngineHarness;
  afterEach(() => harness.close());

  async function start(script: FakeScript): Promise<EngineHarness> {
    const host = new MemoryHost(() => ({ ok: true, text: 'a.png', images: [image] }));
    harness = await EngineHarness.start(script, host);
    return harness;
  }

  function lastContent(request: number): unknown {
    return harness.api.requests[request]?.body.messages.at(-1)?.content;
  }

  const warnings = (): string[] => harness.host.noticesOf('warning').map(({ text }) => text);

  describe('images', () => {
    it('are shown to the model, and again when the conversation goes on in another process', async () => {
      const { host } = await start([calls('read', {}, 'toolu_1'), says('A dot.'), says('Still a dot.')]);
      await (await harness.open()).send('Look.');
      const result = {
        type: 'tool_result',
        tool_use_id: 'toolu_1',
        content: [{ type: 'text', text: 'a.png' }, sentImage],
      };
      assert.deepEqual(lastContent(1), [result]);
      const history = JSON.parse(JSON.stringify(host.messages)) as ConversationMessage[];
      await (await harness.open({ history })).send('Look again.');
      assert.deepEqual(harness.api.requests[2]?.body.messages[2]?.content, [result]);
    });

    for (const refusal of [
      badRequest('messages.2.content.0: this model does not support image input'),
      status(500, 'api_error', 'image input is not supported - hint: if this is unexpected, provide the mmproj'),
    ]) {
      it(`are named in words to a model that refuses them (${JSON.stringify(refusal).slice(0, 30)}…)`, async () => {
        await start([
          calls('read', {}, 'toolu_1'),
          refusal,
          says('I cannot see.'),
          calls('read', {}, 'toolu_2'),
          says('Nor that.'),
        ]);
        const conversation = await harness.open();
        assert.deepEqual(await conversation.send('Look.'), { kind: 'done', text: 'I cannot see.' });
        assert.match(JSON.stringify(lastContent(2)), /An image was here\. This model does not look at images\./);
        await conversation.send('And now?');
        assert.equal(harness.api.requests.length, 5, 'it is not tried again');
        assert.deepEqual(warnings(), ['The model does not take images: it is told that there is one instead.']);
      });
    }

    it('are shown up to a number that servers take; older ones are named', async () => {
      let read = 0;
      await start(() => ((read += 1) > 25 ? says('Seen.') : calls('read', {}, `toolu_${read}`)));
      await (await harness.open({ maxTurns: 99 })).send('Look.');
      const shown = JSON.stringify(harness.api.requests.at(-1)?.body.messages);
      assert.equal(shown.split('"type":"image"').length - 1, 15);
      assert.equal(shown.split('An older image was left out').length - 1, 10);
    });

    it('are shown up to a size that a whole request may have, the newest in any case', () => {
      const data = 'x'.repeat(5_000_000);
      const sent = Array.from({ length: 12 }, () => result([{ ...sentImage, source: { ...sentImage.source, data } }]));
      const shown = new RequestShape('claude-test', null).of(sent);
      assert.ok(JSON.stringify(shown).length < 32_000_000);
      assert.match(JSON.stringify(shown.at(-1)).slice(0, 200), /"type":"image"/);
    });
  });

  describe('thinking', () => {
    it('is asked for where a model takes it, to be shown, with the effort that was chosen', async () => {
      await start(() => says('Hi.'));
      for (const model of ['claude-sonnet-5-5', 'claude-opus-4-5-20251101', 'claude-haiku-4-5', 'qwen3'])
        await (await harness.open({ model, effort: 'high' })).send('Go');
      assert.deepEqual(
        harness.api.requests.map(({ body }) => [body.model, body['thinking'], body['output_config']]),
        [
          ['claude-sonnet-5-5', { type: 'adaptive', display: 'summarized' }, { effort: 'high' }],
          ['claude-opus-4-5-20251101', undefined, { effort: 'high' }],
          ['claude-haiku-4-5', undefined, undefined],
          ['qwen3', undefined, undefined],
        ],
      );
      assert.deepEqual(warnings(), [
        'The effort “high” is not asked of claude-haiku-4-5: it takes none that is known.',
        'The effort “high” is not asked of qwen3: it takes none that is known.',
      ]);
    });

    it('is not asked for again when the server refuses it', async () => {
      await start([badRequest('thinking: Extra inputs are not permitted'), says('Hi.'), says('Ho.')]);
      const conversation = await harness.open({ model: 'claude-sonnet-5-5' });
      await conversation.send('Go');
      await conversation.send('On');
      assert.deepEqual(
        harness.api.requests.map(({ body }) => body['thinking'] !== undefined),
        [true, false, false],
      );
      assert.deepEqual(warnings(), ['The model takes no settings for its thinking: it is asked without.']);
    });

    it('goes back as it came: signed, hidden and redacted, across turns with tools and a restart', async () => {
      const thoughts = [
        { type: 'thinking', thinking: 'Hm, let me see.', signature: 'c2lnbmVk' },
        { type: 'thinking', thinking: '', signature: 'aGlkZGVu' },
        { type: 'redacted_thinking', data: 'cmVkYWN0ZWQ=' },
      ] as const;
      const { host } = await start([
        reply(...thoughts, toolUse('bash', {}, 'toolu_1')),
        reply({ type: 'thinking', thinking: 'So.', signature: 'c28=' }, toolUse('bash', {}, 'toolu_2')),
        says('Done.'),
        says('Yes.'),
      ]);
      await (await harness.open({ model: 'claude-opus-5-5' })).send('Go');
      const history = JSON.parse(JSON.stringify(host.messages)) as ConversationMessage[];
      await (await harness.open({ model: 'claude-opus-5-5', history })).send('Really?');
      for (const request of [1, 2, 3]) {
        assert.deepEqual(harness.api.requests[request]?.body.messages[1]?.content, [
          ...thoughts,
          { type: 'tool_use', id: 'toolu_1', name: 'bash', input: {} },
        ]);
      }
      assert.deepEqual(
        host.noticesOf('thinking').map(({ text }) => text),
        ['Hm, let me see.', 'So.'],
      );
    });

    it('is left out when the server does not know its signature, as after a change of the key', async () => {
      const thought = { type: 'thinking', thinking: 'Hm.', signature: 'b2xk' } as const;
      await start([
        reply(thought, toolUse('bash', {}, 'toolu_1')),
        badRequest('messages.1.content.0: Invalid `signature` in `thinking` block'),
        says('Done.'),
      ]);
      assert.deepEqual(await (await harness.open()).send('Go'), { kind: 'done', text: 'Done.' });
      assert.deepEqual(harness.api.requests[2]?.body.messages[1]?.content, [
        { type: 'tool_use', id: 'toolu_1', name: 'bash', input: {} },
      ]);
    });
  });

  it('ends when what is refused was not asked for', async () => {
    await start([badRequest('image: no')]);
    const error = await (await harness.open()).send('Go').catch((caught: unknown) => caught);
    assert.ok(error instanceof UserError);
    assert.deepEqual([error.code, harness.api.requests.length], ['model-request-refused', 1]);
  });
});

function result(content: readonly unknown[]): ConversationMessage {
  return { ...nothing, role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content }] };
}
