import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import { isAtRest, type ContextCut, type ConversationMessage } from '../../../src/core/engine';
import { asksForSummary, tokensIn, withWindow } from '../../fakes/contextWindow';
import type { FakeTurn, SeenRequest } from '../../fakes/messagesApi';
import { badRequest, calls, says, status, stopsWith, text, toolUse } from '../../fakes/messagesApiTurns';
import { EngineHarness, MemoryHost, tool } from './harness';

const contextTokens = 4000;
/** About 500 tokens. */
const longResult = 'x'.repeat(2000);

/** Looks at one file after another, sums up when it is asked to, and is done at some point. */
function reader(files: number): (request: SeenRequest, answered: number) => FakeTurn {
  let read = 0;
  return (request) => {
    if (asksForSummary(request)) return says(`I have read ${read} files.`);
    read += 1;
    return read > files ? says('All read.') : calls('read', { path: `file${read}` }, `toolu_${read}`);
  };
}

function cutsOf(messages: readonly ConversationMessage[]): ContextCut[] {
  return messages.flatMap(({ cut }) => (cut ? [cut] : []));
}

describe('a conversation that outgrows the model’s context window', () => {
  let harness: EngineHarness;
  afterEach(() => harness.close());

  async function start(script: Parameters<typeof withWindow>[1], refusal?: Parameters<typeof withWindow>[2]) {
    const host = new MemoryHost(() => ({ ok: true, text: longResult }));
    harness = await EngineHarness.start(withWindow(contextTokens, script, refusal), host);
    return harness;
  }

  it('goes on without the results of old tool calls, and then from the model’s own summary', async () => {
    const { host, api } = await start(reader(20));
    const conversation = await harness.open({ maxTurns: 99 }, { contextTokens });
    assert.deepEqual(await conversation.send('Read everything.'), { kind: 'done', text: 'All read.' });
    assert.deepEqual(
      api.requests.filter(({ outcome }) => outcome !== 'answered'),
      [],
      'nothing was sent that did not fit',
    );
    assert.ok(cutsOf(host.messages).length > 0);
    assert.ok(api.requests.every(({ body }) => JSON.stringify(body.messages[0]).includes('Read everything.')));
    assert.deepEqual(api.paidTwice(), []);
    assert.match(
      host.noticesOf('contextCut')[0]?.text ?? '',
      /outgrows the model’s context window\. .* asked to sum up/,
    );
  });

  it('leaves out old results first, as long as that is enough', async () => {
    const { host, api } = await start(reader(14));
    harness.host.tool = ({ id }) => ({
      ok: true,
      text: ['toolu_1', 'toolu_2'].includes(id) ? 'y'.repeat(4000) : 'short',
    });
    await (await harness.open({ maxTurns: 99 }, { contextTokens })).send('Read everything.');
    assert.deepEqual(
      cutsOf(host.messages).map((cut) => cut.kind),
      ['results'],
    );
    assert.match(
      host.noticesOf('contextCut')[0]?.text ?? '',
      /Older results of tools are left out of it \(about [23],000 → 1,000 tokens\)/,
    );
    assert.match(JSON.stringify(api.requests.at(-1)?.body.messages), /This result was left out to make room/);
  });

  it('learns the size of the window from what the server says', async () => {
    const { host, api } = await start(reader(20));
    const conversation = await harness.open({ maxTurns: 99 });
    assert.deepEqual(await conversation.send('Read everything.'), { kind: 'done', text: 'All read.' });
    const refused = api.requests.filter(({ outcome }) => outcome === 'faulted');
    assert.equal(refused.length, 1, 'it runs into the end of the window once');
    assert.equal(host.messages.filter(({ role, cut }) => role === 'assistant' && !cut).length, 21);
  });

  for (const said of [
    'the request exceeds the available context size. try increasing the context size or enable context shift',
    `This model's maximum context length is ${contextTokens} tokens. However, you requested 5000 tokens.`,
    'input length and `max_tokens` exceed context limit: 3000 + 1000 > 4000, decrease input length',
  ]) {
    it(`goes on when a server says: ${said.slice(0, 50)}…`, async () => {
      await start(reader(20), () => badRequest(said));
      const conversation = await harness.open({ maxTurns: 99 });
      assert.deepEqual(await conversation.send('Read everything.'), { kind: 'done', text: 'All read.' });
    });
  }

  it('goes on when a request is too large for the server', async () => {
    await start(reader(20), () => status(413, 'request_too_large', 'Request exceeds the maximum size'));
    const conversation = await harness.open({ maxTurns: 99 });
    assert.deepEqual(await conversation.send('Read everything.'), { kind: 'done', text: 'All read.' });
  });

  it('learns nothing of the window from a request that has too many bytes', async () => {
    let refusals = 0;
    const read = reader(8);
    const { api } = await start((request, answered) => {
      if (answered !== 4 || refusals > 0) return read(request, answered);
      refusals += 1;
      return status(413, 'request_too_large', 'Request exceeds the maximum allowed number of bytes.');
    });
    const conversation = await harness.open({ maxTurns: 99, maxOutputTokens: 16_000 }, { contextTokens: 100_000 });
    assert.deepEqual(await conversation.send('Read everything.'), { kind: 'done', text: 'All read.' });
    assert.equal(refusals, 1);
    assert.deepEqual(new Set(api.requests.map(({ body }) => body.max_tokens)), new Set([16_000]));
  });

  it('goes on when an answer ends because the window is full', async () => {
    const turns = [
      calls('read', {}, 'toolu_1'),
      stopsWith('model_context_window_exceeded', text('So far '), toolUse('read', {}, 'toolu_2')),
      says('I read one file.'),
      says('Done.'),
    ];
    const { host, api } = await start((_request, answered) => turns[answered] ?? says('?'));
    assert.deepEqual(await (await harness.open()).send('Go'), { kind: 'done', text: 'Done.' });
    assert.deepEqual(host.log.filter((line) => line === 'begin read').length, 1, 'half a call is not done');
    assert.deepEqual(cutsOf(host.messages), [{ kind: 'ask', trimmed: true }, { kind: 'summary' }]);
    const opening = JSON.stringify(api.requests[3]?.body.messages);
    assert.match(opening, /Go.*your own summary of it:.*I read one file\./);
  });

  it('does without a summary when even that does not fit, and keeps what it was told last', async () => {
    const { api, host } = await start((request) =>
      asksForSummary(request) ? badRequest('prompt is too long') : reader(0)(request, 0),
    );
    const history = [...exchange('Do it.', 'Done.'), ...exchange('The tests fail.', 'Hm.')];
    host.messages.push(...history);
    host.messages.push(...exchange('Look again.', 'z'.repeat(20_000)).slice(0, 2));
    const conversation = await harness.open({ history: host.messages.slice() });
    assert.deepEqual(await conversation.send('And now the last thing.'), { kind: 'done', text: 'All read.' });
    assert.deepEqual(cutsOf(host.messages), [{ kind: 'ask', trimmed: true }, { kind: 'forgotten' }]);
    assert.match(
      JSON.stringify(api.requests.at(-1)?.body.messages),
      /Do it\..*Everything after the task was left out.*And now the last thing\./,
    );
  });

  it('ends when there is nothing to leave out', async () => {
    await start(reader(1));
    const error = await (await harness.open()).send('w'.repeat(20_000)).catch((caught: unknown) => caught);
    assert.ok(error instanceof UserError);
    assert.equal(error.code, 'context-full');
    assert.equal(harness.api.requests.length, 1);
  });

  it('takes a model that answers a request for a summary with a tool call for one that gave none', async () => {
    const { host } = await start((request, answered) => {
      if (asksForSummary(request)) return calls('read', {}, 'toolu_x');
      return answered < 9 ? calls('read', {}, `toolu_${answered}`) : says('Done.');
    });
    await (await harness.open({}, { contextTokens })).send('Go');
    assert.deepEqual(cutsOf(host.messages).slice(-1), [{ kind: 'forgotten' }]);
    assert.equal(host.log.filter((line) => line.startsWith('begin')).length, 8, 'that call is not done');
  });

  it('asks a small model for answers that leave room for the question', async () => {
    const { api } = await start(() => says('Hi.'));
    await (await harness.open({ maxOutputTokens: 16_000 }, { contextTokens })).send('Go');
    assert.equal(api.requests[0]?.body.max_tokens, contextTokens / 2);
  });

  it('goes on after a crash at any point, and pays for no turn twice', async () => {
    const { api, host } = await start(reader(20));
    let opened = 0;
    // Each process lives for the record of one message more.
    const open = async () => {
      opened += 1;
      const crashing = new MemoryHost(host.tool);
      crashing.messages.push(...host.messages);
      let records = 0;
      crashing.record = async (message) => {
        if (records >= 1) throw new Error('killed');
        records += 1;
        host.messages.push(message);
      };
      crashing.beforeRequest = async () => {
        if (records >= 1) throw new Error('killed');
      };
      return harness.open({ maxTurns: 99, history: host.messages.slice(), host: crashing }, { contextTokens });
    };
    await (await open()).send('Read everything.').catch(() => {});
    while (!isAtRest(host.messages)) {
      assert.ok(opened < 200);
      await (await open()).resume().catch(() => {});
    }
    assert.deepEqual(host.messages.at(-1)?.content, [{ type: 'text', text: 'All read.' }]);
    assert.deepEqual(api.paidTwice(), []);
    assert.ok(cutsOf(host.messages).length >= 2);
    assert.equal(
      api.requests.filter(({ outcome }) => outcome === 'answered').length,
      host.messages.filter(({ role }) => role === 'assistant').length,
    );
  });

  it('is counted as a prompt of its own after it was cut', async () => {
    const { host } = await start(reader(12));
    const sizes: boolean[] = [];
    host.beforeRequest = async (size) => void sizes.push(size.goesOn);
    await (await harness.open({ maxTurns: 99 }, { contextTokens })).send('Read everything.');
    assert.ok(sizes.includes(false));
    assert.equal(sizes[0], true);
  });

  it('keeps within the window whatever tools give', async () => {
    const { api } = await start(reader(25));
    let call = 0;
    harness.host.tool = () => ({ ok: true, text: 'r'.repeat((call += 1) % 3 === 0 ? 4000 : 50) });
    await (await harness.open({ maxTurns: 99, tools: [tool('read')] }, { contextTokens })).send('Go');
    assert.ok(api.requests.every(({ body }) => tokensIn(body) <= contextTokens));
  });
});

function exchange(said: string, answered: string): ConversationMessage[] {
  const base = { messageId: null, stopReason: null, model: null, usage: null };
  return [
    { ...base, role: 'user', content: [{ type: 'text', text: said }] },
    { ...base, role: 'assistant', stopReason: 'end_turn', content: [{ type: 'text', text: answered }] },
  ];
}
