import assert from 'node:assert/strict';
import { defaultEngineLimits } from '../../../src/engines/anthropic/engineOptions';
import { createModelClient } from '../../../src/engines/anthropic/modelClient';
import { requestBody } from '../../../src/engines/anthropic/requestBody';
import { ResponseGuard } from '../../../src/engines/anthropic/responseGuard';
import { noUsage } from '../../../src/core/usage';
import type { ConversationMessage } from '../../../src/core/engine';
import { broken, calls, reply, says, stopsWith, text, toolUse, toolUseRaw } from '../../fakes/messagesApiTurns';
import { fakeUsage, type FakeScript } from '../../fakes/messagesApi';
import { cancelled, EngineHarness, MemoryHost, testKey } from './harness';

const usage = { ...noUsage, inputTokens: 100, outputTokens: 20 };

function user(words: string): ConversationMessage {
  return {
    role: 'user',
    content: [{ type: 'text', text: words }],
    messageId: null,
    stopReason: null,
    model: null,
    usage: null,
  };
}

function assistant(
  messageId: string,
  stopReason: string,
  content: ConversationMessage['content'],
): ConversationMessage {
  return { role: 'assistant', content, messageId, stopReason, model: 'claude-test', usage };
}

describe('the Anthropic engine', () => {
  let harness: EngineHarness;

  async function start(script: FakeScript, host?: MemoryHost): Promise<EngineHarness> {
    harness = await EngineHarness.start(script, host);
    return harness;
  }

  afterEach(() => harness.close());

  it('answers, keeps what was said, and says what it used', async () => {
    const { host } = await start([says('Hello, world.')]);
    const end = await (await harness.open()).send('Hi');
    assert.deepEqual(end, { kind: 'done', text: 'Hello, world.' });
    assert.deepEqual(host.messages, [
      user('Hi'),
      { ...assistant('msg_0', 'end_turn', [{ type: 'text', text: 'Hello, world.' }]), firstTokenMs: 0 },
    ]);
    assert.deepEqual(host.notices, [
      { kind: 'requestStarted', turn: 1 },
      { kind: 'text', text: 'Hello, world.' },
    ]);
  });

  it('keeps each message before anything follows from it', async () => {
    const { host } = await start([calls('bash', { command: 'ls' }, 'toolu_1'), says('Done.')]);
    await (await harness.open()).send('List');
    assert.deepEqual(host.log, [
      'record user',
      'request',
      'record assistant',
      'begin bash',
      'end bash',
      'record user',
      'request',
      'record assistant',
    ]);
    assert.deepEqual(host.messages[2]?.content, [
      { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'fine' }] },
    ]);
  });

  it('does calls that change nothing at the same time, and all others in order', async () => {
    const started: string[] = [];
    let release = (): void => {};
    const bothStarted = new Promise<void>((resolve) => (release = resolve));
    const host = new MemoryHost(async ({ id }) => {
      started.push(id);
      if (started.length === 2) release();
      // Neither of the first two ends before both have begun.
      await bothStarted;
      return { ok: true, text: id };
    });
    const four = reply(
      toolUse('read', {}, 'a'),
      toolUse('grep', {}, 'b'),
      toolUse('bash', {}, 'c'),
      toolUse('bash', {}, 'd'),
    );
    await start([four, says('Done.')], host);
    await (await harness.open()).send('Go');
    assert.deepEqual(host.log.slice(3, 11), [
      'begin read',
      'begin grep',
      'end read',
      'end grep',
      'begin bash',
      'end bash',
      'begin bash',
      'end bash',
    ]);
    assert.deepEqual(
      host.messages[2]?.content.map((block) => block.tool_use_id),
      ['a', 'b', 'c', 'd'],
    );
  });

  it('tells the model that a call failed', async () => {
    await start([calls('bash', {}, 'toolu_1'), says('Oh.')], new MemoryHost(() => ({ ok: false, text: '' })));
    await (await harness.open()).send('Go');
    assert.deepEqual(harness.api.requests[1]?.body.messages.at(-1)?.content, [
      { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '(no output)' }], is_error: true },
    ]);
  });

  it('tells the model of broken JSON in a call instead of doing it, and pays for the turn once', async () => {
    const { host, api } = await start([
      reply(text('Now.'), toolUseRaw('bash', '{"command": "ls', 'toolu_1')),
      says('Sorry.'),
    ]);
    const end = await (await harness.open()).send('Go');
    assert.deepEqual(end, { kind: 'done', text: 'Sorry.' });
    assert.equal(host.log.includes('begin bash'), false);
    assert.equal(api.requests.length, 2);
    const [call, result] = api.requests[1]?.body.messages.slice(1) ?? [];
    assert.deepEqual(call?.content, [
      { type: 'text', text: 'Now.' },
      { type: 'tool_use', id: 'toolu_1', name: 'bash', input: {} },
    ]);
    assert.match(JSON.stringify(result?.content), /no JSON object.*\{\\\\\\"command/);
    assert.equal(host.noticesOf('warning').length, 1);
  });

  for (const json of ['[1, 2]', '"ls"', 'null', '12']) {
    it(`takes the input ${json} for no object`, async () => {
      const { host } = await start([reply(toolUseRaw('bash', json)), says('Sorry.')]);
      await (await harness.open()).send('Go');
      assert.equal(host.log.includes('begin bash'), false);
    });
  }

  it('gives a call without input an empty object', async () => {
    const inputs: unknown[] = [];
    const host = new MemoryHost(({ input }) => {
      inputs.push(input);
      return { ok: true, text: 'fine' };
    });
    await start([reply(toolUseRaw('bash', '')), says('Done.')], host);
    await (await harness.open()).send('Go');
    assert.deepEqual(inputs, [{}]);
  });

  it('gives calls new ids where a server uses one twice', async () => {
    const ids: string[] = [];
    const host = new MemoryHost(({ id }) => {
      ids.push(id);
      return { ok: true, text: id };
    });
    await start(
      [reply(toolUse('bash', {}, 'call_0'), toolUse('bash', {}, 'call_0')), calls('bash', {}, 'call_0'), says('Done.')],
      host,
    );
    await (await harness.open()).send('Go');
    assert.equal(ids[0], 'call_0');
    assert.equal(new Set(ids).size, 3);
    const results = host.messages.flatMap(({ content }) => content.filter((block) => block.type === 'tool_result'));
    assert.deepEqual(
      results.map((block) => block.tool_use_id),
      ids,
    );
  });

  it('counts every class of tokens apart', async () => {
    const { host } = await start([
      {
        kind: 'reply',
        reply: {
          content: [text('Hi')],
          usage: {
            input_tokens: 1,
            output_tokens: 2,
            cache_creation_input_tokens: 70,
            cache_read_input_tokens: 5,
            cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 40 },
          },
        },
      },
    ]);
    await (await harness.open()).send('Hi');
    assert.deepEqual(host.messages[1]?.usage, {
      inputTokens: 1,
      outputTokens: 2,
      cacheWrite5mTokens: 30,
      cacheWrite1hTokens: 40,
      cacheReadTokens: 5,
    });
  });

  it('keeps thinking as it came and sends it back', async () => {
    const thinking = { type: 'thinking', thinking: 'Hm, let me see.', signature: 'c2lnbmVk' } as const;
    const { api } = await start([reply(thinking, toolUse('bash', {}, 'toolu_1')), says('Done.')]);
    await (await harness.open()).send('Go');
    assert.deepEqual(api.requests[1]?.body.messages[1]?.content, [
      thinking,
      { type: 'tool_use', id: 'toolu_1', name: 'bash', input: {} },
    ]);
  });

  it('shows whole lines, not the pieces that they come in', async () => {
    const words = `${'A first line that is longer than one piece of an answer. '.repeat(2)}\nSecond.\n\nThird`;
    const { host } = await start([says(words)]);
    await (await harness.open()).send('Go');
    const shown = host.noticesOf('text').map((notice) => notice.text);
    assert.equal(shown.join('\n').replace(/\n+/g, '\n'), words.replace(/\n+/g, '\n'));
    assert.equal(shown.at(-1), 'Third');
    assert.ok(shown.length <= 3, `${shown.length} notices`);
  });

  it('sends system prompt, tools and what was said, with breakpoints of the cache', async () => {
    const { api } = await start([calls('bash', {}, 'toolu_1'), calls('bash', {}, 'toolu_2'), says('Done.')]);
    await (await harness.open({}, { promptCaching: 'on' })).send('Go');
    const { body } = api.requests[2] ?? assert.fail('no third request');
    const mark = { cache_control: { type: 'ephemeral' } };
    assert.deepEqual(body.system, [{ type: 'text', text: 'You are a test.', ...mark }]);
    assert.deepEqual(
      body.tools?.map(({ name, cache_control }) => ({ name, cache_control })),
      [
        { name: 'bash', cache_control: undefined },
        { name: 'read', cache_control: undefined },
        { name: 'grep', ...mark },
      ],
    );
    const marked = body.messages.map(({ content }) => JSON.stringify(content).includes('cache_control'));
    assert.deepEqual(marked, [false, false, true, false, true]);
  });

  it('marks nothing for the cache at a server that is not Anthropic’s', async () => {
    const { api } = await start([says('Hi')]);
    await (await harness.open()).send('Go');
    assert.equal(JSON.stringify(api.requests[0]?.body).includes('cache_control'), false);
  });

  describe('at its end', () => {
    it('says that the model refused, and does no call of that answer', async () => {
      const { host } = await start([stopsWith('refusal', text('I will not.'), toolUse('bash', {}))]);
      const end = await (await harness.open()).send('Go');
      assert.deepEqual(end, { kind: 'refused', text: 'I will not.' });
      assert.deepEqual(host.log, ['record user', 'request', 'record assistant']);
    });

    it('goes on with an answer that was cut, and gives it as one', async () => {
      const { api } = await start([stopsWith('max_tokens', text('One, two, ')), says('three.')]);
      const end = await (await harness.open()).send('Count');
      assert.deepEqual(end, { kind: 'done', text: 'One, two, three.' });
      assert.match(JSON.stringify(api.requests[1]?.body.messages.at(-1)), /cut at the token limit/);
    });

    it('gives up on an answer that is cut a third time', async () => {
      await start((request) => stopsWith('max_tokens', text(`Part ${request.index}`)));
      const end = await (await harness.open()).send('Count');
      assert.deepEqual(end, { kind: 'tooLong' });
      assert.equal(harness.api.requests.length, 3);
    });

    it('does not do the call that an answer was cut in, and does those before it', async () => {
      const done: unknown[] = [];
      const host = new MemoryHost(({ id }) => {
        done.push(id);
        return { ok: true, text: 'fine' };
      });
      await start(
        [stopsWith('max_tokens', toolUse('bash', { a: 1 }, 'a'), toolUse('bash', { b: 1 }, 'b')), says('Done.')],
        host,
      );
      await (await harness.open()).send('Go');
      assert.deepEqual(done, ['a']);
      assert.match(JSON.stringify(harness.api.requests[1]?.body.messages.at(-1)), /cut at the token limit/);
    });

    it('goes on with a turn that the server paused', async () => {
      await start([stopsWith('pause_turn', text('Wait.')), says('Done.')]);
      const end = await (await harness.open()).send('Go');
      assert.deepEqual(end, { kind: 'done', text: 'Done.' });
      assert.equal(harness.api.requests[1]?.body.messages.at(-1)?.role, 'assistant');
    });

    it('stops at the turn limit, with every call answered', async () => {
      const { host } = await start((request) => calls('bash', { step: request.index }));
      const end = await (await harness.open({ maxTurns: 3 })).send('Go');
      assert.deepEqual(end, { kind: 'turnLimit', turns: 3 });
      assert.equal(host.messages.at(-1)?.role, 'user');
      assert.equal(harness.api.requests.length, 3);
    });
  });

  describe('resumed', () => {
    const called = assistant('msg_0', 'tool_use', [{ type: 'tool_use', id: 'toolu_1', name: 'bash', input: { a: 1 } }]);

    it('asks for the results of calls that were not answered, and goes on', async () => {
      const { host } = await start([says('Done.')]);
      const end = await (await harness.open({ history: [user('Go'), called] })).resume();
      assert.deepEqual(end, { kind: 'done', text: 'Done.' });
      assert.deepEqual(host.log, ['begin bash', 'end bash', 'record user', 'request', 'record assistant']);
    });

    it('asks the model when the user spoke last', async () => {
      const { host } = await start([says('Done.')]);
      const end = await (await harness.open({ history: [user('Go')] })).resume();
      assert.deepEqual(end, { kind: 'done', text: 'Done.' });
      assert.deepEqual(host.log, ['request', 'record assistant']);
    });

    it('does nothing when the agent was at rest', async () => {
      const { host } = await start([]);
      const rest = assistant('msg_0', 'end_turn', [{ type: 'text', text: 'All done.' }]);
      const end = await (await harness.open({ history: [user('Go'), rest] })).resume();
      assert.deepEqual(end, { kind: 'done', text: 'All done.' });
      assert.deepEqual(host.log, []);
    });

    it('answers what is open before something new is said', async () => {
      await start([says('Done.')]);
      await (await harness.open({ history: [user('Go'), called] })).send('And hurry.');
      const last = harness.api.requests[0]?.body.messages.at(-1);
      assert.deepEqual(last?.content, [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'fine' }] },
        { type: 'text', text: 'And hurry.' },
      ]);
    });

    it('counts the turns of before', async () => {
      await start([]);
      const history = [user('Go'), called];
      const end = await (await harness.open({ history, maxTurns: 1 })).resume();
      assert.deepEqual(end, { kind: 'turnLimit', turns: 1 });
    });

    it('leaves out what the API does not take back: empty answers and blank texts', async () => {
      const { api } = await start([says('Done.')]);
      const history = [
        user('Go'),
        assistant('msg_0', 'end_turn', []),
        user('Well?'),
        assistant('msg_1', 'tool_use', [{ type: 'text', text: '\n\n' }, ...called.content]),
      ];
      await (await harness.open({ history })).resume();
      assert.deepEqual(api.requests[0]?.body.messages.slice(0, 2), [
        { role: 'user', content: [...user('Go').content, ...user('Well?').content] },
        { role: 'assistant', content: called.content },
      ]);
    });
  });

  describe('cancelled', () => {
    it('closes the request at once while the answer comes', async () => {
      await start([broken({ kind: 'stall' })]);
      const work = (await harness.open()).send('Go');
      await harness.api.requested(1);
      harness.abort.abort();
      assert.equal(await cancelled(work), true);
      await harness.api.settled();
      assert.equal(harness.api.requests[0]?.outcome, 'cut');
    });

    it('closes the request when the conversation is closed', async () => {
      await start([broken({ kind: 'stall' }, 0)]);
      const conversation = await harness.open();
      const work = conversation.send('Go');
      await harness.api.requested(1);
      await conversation.close();
      assert.equal(await cancelled(work), true);
      await harness.api.settled();
      assert.equal(harness.api.requests[0]?.outcome, 'cut');
    });

    it('asks nothing when it is cancelled while a tool works', async () => {
      const host = new MemoryHost(() => {
        harness.abort.abort();
        return { ok: true, text: 'fine' };
      });
      await start([calls('bash', {}), says('Done.')], host);
      assert.equal(await cancelled((await harness.open()).send('Go')), true);
      assert.equal(harness.api.requests.length, 1);
    });

    it('keeps count of what a cut answer had used', async () => {
      const { host } = await start([broken({ kind: 'stall' }, 4, [text('A first line.\nAnd so on')])]);
      const shown = host.noticed('text');
      const work = (await harness.open()).send('Go');
      await shown;
      harness.abort.abort();
      assert.equal(await cancelled(work), true);
      assert.deepEqual(host.lost, [
        { usage: { ...noUsage, inputTokens: fakeUsage.input_tokens, outputTokens: 1 }, model: 'claude-test' },
      ]);
    });
  });

  describe('towards the server', () => {
    it('sends a token as Bearer, with the version that servers know', async () => {
      const { api } = await start([says('Hi')]);
      await (await harness.open()).send('Hi');
      const { headers, path } = api.requests[0] ?? assert.fail('no request');
      assert.deepEqual(
        [path, headers.authorization, headers['x-api-key'], headers['anthropic-version'], headers['anthropic-beta']],
        ['/v1/messages', `Bearer ${testKey}`, undefined, '2023-06-01', undefined],
      );
    });

    it('sends an API key in both places where servers look for one', async () => {
      const { api } = await start([says('Hi')]);
      const credential = { kind: 'apiKey', read: async () => `${testKey}\n` } as const;
      await (await harness.open({}, { credential })).send('Hi');
      const { headers } = api.requests[0] ?? assert.fail('no request');
      assert.deepEqual([headers.authorization, headers['x-api-key']], [`Bearer ${testKey}`, testKey]);
    });

    it('speaks the newest version to Anthropic’s own server, with the key as Bearer', async () => {
      const { api, clock } = await start([says('Hi')]);
      const guard = new ResponseGuard(clock, defaultEngineLimits);
      const anthropic = { baseUrl: api.baseUrl, isAnthropic: true };
      const key = { kind: 'apiKey', secret: testKey } as const;
      const client = await createModelClient(anthropic, key, guard, defaultEngineLimits);
      const body = requestBody({
        thinking: {},
        model: 'claude-test',
        maxOutputTokens: 10,
        systemPrompt: 'Test.',
        tools: [],
        history: [user('Hi')],
        promptCaching: true,
      });
      for await (const event of await client.messages.create(body, { signal: guard.begin() })) {
        if (event.type === 'message_stop') guard.end();
      }
      const { headers } = api.requests[0] ?? assert.fail('no request');
      assert.deepEqual(
        [headers.authorization, headers['x-api-key'], headers['anthropic-version']],
        [`Bearer ${testKey}`, undefined, '2026-10-21'],
      );
    });

    it('sends no credential at all where there is none, not even one of the environment', async () => {
      const { api } = await start([says('Hi')]);
      const credential = { kind: 'apiKey', read: async () => undefined } as const;
      const before = process.env.ANTHROPIC_API_KEY;
      process.env.ANTHROPIC_API_KEY = 'sk-of-the-environment';
      try {
        await (await harness.open({}, { credential, baseUrl: `${api.baseUrl}/v1/` })).send('Hi');
      } finally {
        if (before === undefined) delete process.env.ANTHROPIC_API_KEY;
        else process.env.ANTHROPIC_API_KEY = before;
      }
      const { headers, path } = api.requests[0] ?? assert.fail('no request');
      assert.deepEqual([path, headers.authorization, headers['x-api-key']], ['/v1/messages', undefined, undefined]);
    });
  });
});
