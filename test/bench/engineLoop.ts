// What the loop of an agent adds to each turn, and how many runs it keeps going at once.
import { Anthropic } from '@anthropic-ai/sdk';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import type { Conversation } from '../../src/core/engine';
import { createAnthropicEngine } from '../../src/engines/anthropic/anthropicEngine';
import { type FakeMessagesApi, startFakeMessagesApi } from '../fakes/messagesApi';
import { calls, says } from '../fakes/messagesApiTurns';
import { MemoryHost, testTools } from '../unit/engines/harness';
import { type Figure, median } from './figure';

/** Turns of one conversation, each but the last with a call of a tool that does nothing. */
const turns = 40;
const rounds = 5;
const parallelRuns = 20;
const turnMs = 50;

export async function bench(): Promise<Figure[]> {
  return [...(await overhead()), ...(await throughput())];
}

/** The same conversation, by the bare SDK and by our loop, one after the other in each round. */
async function overhead(): Promise<Figure[]> {
  const api = await startFakeMessagesApi(answersAt);
  const took = { sdk: new Array<number>(), loop: new Array<number>() };
  try {
    // Once unmeasured: what is loaded and compiled is no part of a turn.
    for (let round = -1; round < rounds; round += 1) {
      const sdk = await worked(() => bareConversation(api));
      const loop = await worked(() => ownConversation(api));
      if (round < 0) continue;
      took.sdk.push(sdk / turns);
      took.loop.push(loop / turns);
    }
  } finally {
    await api.close();
  }
  const [sdk, loop] = [median(took.sdk), median(took.loop)];
  return [
    {
      name: `a turn by the bare SDK, of ${turns}`,
      value: sdk,
      unit: 'ms',
      note: 'processor time, with the fake server’s',
    },
    { name: 'a turn by our loop', value: loop, unit: 'ms', note: 'the same; without executor, journal and tools' },
    { name: 'what our loop adds to a turn', value: loop - sdk, unit: 'ms' },
  ];
}

/** Against the ideal: every run waits for its own model alone, and nothing else takes time. */
async function throughput(): Promise<Figure[]> {
  const api = await startFakeMessagesApi(async (request) => {
    await delay(turnMs);
    return answersAt(request);
  });
  try {
    await ownConversation(api);
    let tookMs = 0;
    const workedMs = await worked(async () => {
      tookMs = await timed(() => Promise.all(Array.from({ length: parallelRuns }, () => ownConversation(api))));
    });
    const idealMs = turns * turnMs;
    return [
      {
        name: `${parallelRuns} runs at once, turns of ${turnMs} ms`,
        value: ((parallelRuns * turns) / tookMs) * 1000,
        unit: 'turns/s',
        note: `ideal ${((parallelRuns * 1000) / turnMs).toFixed(0)}; the fake server is in the same process`,
      },
      { name: 'of the ideal', value: (idealMs / tookMs) * 100, unit: '%' },
      { name: 'processor time of a turn among them', value: workedMs / (parallelRuns * turns), unit: 'ms' },
    ];
  } finally {
    await api.close();
  }
}

function answersAt({ body }: { readonly body: { readonly messages: readonly { readonly role: string }[] } }) {
  const place = body.messages.filter(({ role }) => role === 'assistant').length;
  return place === turns - 1 ? says('done') : calls('bash', { command: 'true' }, `toolu_${place}`);
}

async function bareConversation(api: FakeMessagesApi): Promise<void> {
  const client = new Anthropic({ authToken: 'bench', baseURL: api.baseUrl, maxRetries: 0 });
  const tools = testTools.map(({ name, description }) => ({
    ...{ name, description },
    input_schema: { type: 'object' as const, properties: {} },
  }));
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Go' }];
  for (;;) {
    const system = 'You are a bench.';
    const stream = client.messages.stream({ model: 'bench', max_tokens: 1000, system, tools, messages });
    const { content, stop_reason: stopReason } = await stream.finalMessage();
    if (stopReason !== 'tool_use') return;
    const results = content.flatMap((block) =>
      block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'fine' }] : [],
    );
    messages.push({ role: 'assistant', content }, { role: 'user', content: results });
  }
}

async function ownConversation(api: FakeMessagesApi): Promise<void> {
  const credential = { kind: 'authToken', read: () => Promise.resolve('bench') } as const;
  const engine = createAnthropicEngine({
    ...{ credential, baseUrl: api.baseUrl, defaultModel: 'bench', clock: systemClock, logger: silentLogger },
  });
  const conversation: Conversation = await engine.open({
    ...{ systemPrompt: 'You are a bench.', model: 'bench', tools: testTools, history: [] },
    ...{ maxTurns: turns + 1, maxOutputTokens: 1000, host: new MemoryHost(), signal: new AbortController().signal },
  });
  try {
    await conversation.send('Go');
  } finally {
    await conversation.close();
  }
}

/** The processor time of this process, in ms: what else runs on the machine is not in it. */
async function worked(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
