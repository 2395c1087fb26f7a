import assert from 'node:assert/strict';
import { request } from 'node:http';
import { silentLogger } from '../../../src/base/logger';
import { systemClock } from '../../../src/base/clock';
import type { ConversationMessage, EngineEnd, ToolCall } from '../../../src/core/engine';
import { createAnthropicEngine } from '../../../src/engines/anthropic/anthropicEngine';
import { scriptedModelName, startScriptedModel, type ScriptedModel } from '../../../src/engines/scripted/scriptedModel';
import type { Scenario } from '../../../src/engines/scripted/scenario';
import { MemoryHost, testTools } from './harness';

const scenario: Scenario = {
  name: 'greeting',
  marker: 'Task: say hello',
  steps: [
    { say: 'I look first.', calls: [{ tool: 'bash', input: { command: 'ls' } }] },
    {
      say: 'There is nothing, so I write it.',
      calls: [{ tool: 'bash', input: { command: 'echo hello > hello.txt' } }],
      instead: [{ whenResultContains: 'hello.txt', say: 'It is there already.' }],
    },
    { say: 'Done: 🎉 hello.txt is written.' },
  ],
};

describe('the scripted model', () => {
  let model: ScriptedModel;
  beforeEach(async () => {
    model = await startScriptedModel({ scenarios: [scenario] });
  });
  afterEach(() => model.close());

  async function play(
    host: MemoryHost,
    prompt: string,
    history: readonly ConversationMessage[] = [],
  ): Promise<EngineEnd> {
    const engine = createAnthropicEngine({
      credential: { kind: 'authToken', read: async () => model.token },
      baseUrl: model.baseUrl,
      defaultModel: scriptedModelName,
      kind: 'scripted',
      clock: systemClock,
      logger: silentLogger,
      // Asked first whether it calls tools, as every model that costs nothing.
      isFree: () => true,
    });
    const conversation = await engine.open({
      systemPrompt: 'Task: say hello stands here too, and does not count.',
      model: engine.defaultModel,
      tools: testTools,
      maxTurns: 10,
      maxOutputTokens: 1000,
      history,
      host,
      signal: new AbortController().signal,
    });
    return history.length > 0 ? conversation.resume() : conversation.send(prompt);
  }

  function answering(text: string, commands: unknown[] = []): MemoryHost {
    return new MemoryHost(({ input }: ToolCall) => {
      commands.push(input);
      return { ok: true, text };
    });
  }

  it('plays a script through the real engine, and says in each answer that it is one', async () => {
    const commands: unknown[] = [];
    const host = answering('(no output)', commands);
    const end = await play(host, '# Task: say hello\nPlease.');
    assert.deepEqual(end, { kind: 'done', text: '[scripted model, no AI] Done: 🎉 hello.txt is written.' });
    assert.deepEqual(commands, [{ command: 'ls' }, { command: 'echo hello > hello.txt' }]);
    const answers = host.messages.filter((message) => message.role === 'assistant');
    assert.deepEqual(new Set(answers.map((message) => message.model)), new Set([scriptedModelName]));
    for (const { content } of answers) assert.match(String(content[0]?.text), /^\[scripted model, no AI\] /);
  });

  it('takes another turn when what the tools answered says so', async () => {
    const end = await play(answering('hello.txt\n'), 'Task: say hello');
    assert.deepEqual(end, { kind: 'done', text: '[scripted model, no AI] It is there already.' });
  });

  it('goes on where it was when the conversation is resumed', async () => {
    const first = answering('(no output)');
    await play(first, 'Task: say hello');
    const commands: unknown[] = [];
    const end = await play(answering('(no output)', commands), '', first.messages.slice(0, 3));
    assert.deepEqual(commands, [{ command: 'echo hello > hello.txt' }]);
    assert.equal(end.kind, 'done');
  });

  it('says that its script is over when it is asked for more', async () => {
    const host = answering('(no output)');
    await play(host, 'Task: say hello');
    const more = { role: 'user', content: [{ type: 'text', text: 'A check fails.' }] } as const;
    const user = { ...more, content: [...more.content], messageId: null, stopReason: null, model: null, usage: null };
    const end = await play(answering(''), '', [...host.messages, user]);
    assert.match(end.kind === 'done' ? end.text : '', /script for this task ends here/);
  });

  it('does nothing for a task that it does not know, and says why', async () => {
    const host = answering('');
    const end = await play(host, 'Build me a house');
    assert.match(end.kind === 'done' ? end.text : '', /only a script/);
    assert.equal(host.messages.length, 2);
  });

  it('refuses a scenario that is none', async () => {
    await assert.rejects(startScriptedModel({ scenarios: [{ name: 'x', marker: '', steps: [] }] }), {
      name: 'ZodError',
    });
  });

  describe('to others', () => {
    const body = JSON.stringify({ model: 'x', stream: true, messages: [{ role: 'user', content: 'Task: say hello' }] });

    function post(headers: Record<string, string>, path = '/v1/messages', text = body): Promise<number | undefined> {
      return new Promise((resolve, reject) => {
        const sent = request(`${model.baseUrl}${path}`, { method: 'POST', headers }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode));
        });
        sent.on('error', reject);
        sent.end(text);
      });
    }

    it('answers who has the token of this start', async () => {
      assert.equal(await post({ authorization: `Bearer ${model.token}` }), 200);
    });

    it('answers nobody without the token, or with another host name', async () => {
      assert.equal(await post({}), 401);
      assert.equal(await post({ authorization: 'Bearer wrong' }), 401);
      assert.equal(await post({ authorization: `Bearer ${model.token}`, host: 'evil.example' }), 401);
    });

    it('says what it does not serve', async () => {
      const authorization = `Bearer ${model.token}`;
      assert.equal(await post({ authorization }, '/v1/models'), 404);
      assert.equal(await post({ authorization }, '/v1/messages', 'nonsense'), 400);
      assert.equal(
        await post({ authorization }, '/v1/messages', JSON.stringify({ ...JSON.parse(body), stream: false })),
        400,
      );
    });
  });
});
