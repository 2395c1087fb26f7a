import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import type { Conversation } from '../../src/core/engine';
import { createAnthropicEngine } from '../../src/engines/anthropic/anthropicEngine';
import { createClaudeCodeEngine } from '../../src/engines/claudeCode/claudeCodeEngine';
import { type FakeMessagesApi, startFakeMessagesApi } from '../fakes/messagesApi';
import { says } from '../fakes/messagesApiTurns';
import { ProgramSession } from '../fakes/programSession';
import { MemoryHost, testTools } from '../unit/engines/harness';

const rounds = 9;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly note?: string;
}

/** One exchange of one answer, from what is said to its end, at a model that answers at once. `AIRLOCK_TEST_CLAUDE` names the program. */
export async function bench(): Promise<Figure[]> {
  const program = process.env['AIRLOCK_TEST_CLAUDE'];
  const api = await startFakeMessagesApi(() => says('done'));
  try {
    const own = await timed(() => openOwn(api));
    const figures = [...figuresOf('our own loop', own)];
    if (program === undefined)
      return [...figures, { name: 'Claude Code', value: NaN, unit: '', note: 'AIRLOCK_TEST_CLAUDE is not set' }];
    for (const mode of ['perRun', 'perExchange'] as const) {
      const session = await ProgramSession.create();
      const folder = await mkdtemp(path.join(tmpdir(), 'airlock-bench-'));
      const took = await timed(async () => {
        const engine = createClaudeCodeEngine({ ...server(api), path: program, searchPath: '', processMode: mode });
        session.mounts = (await engine.furnish?.(folder)) ?? [];
        return engine.open({ ...conversation(), place: { session, folder } });
      });
      await session.close();
      await rm(folder, { recursive: true, force: true });
      figures.push(...figuresOf(`Claude Code, ${mode}`, took));
    }
    return figures;
  } finally {
    await api.close();
  }
}

function openOwn(api: FakeMessagesApi): Promise<Conversation> {
  return createAnthropicEngine(server(api)).open(conversation());
}

function server(api: FakeMessagesApi) {
  const credential = { kind: 'authToken', read: () => Promise.resolve('bench') } as const;
  return { credential, baseUrl: api.baseUrl, defaultModel: 'bench', clock: systemClock, logger: silentLogger };
}

function conversation() {
  return {
    ...{ systemPrompt: 'You are a bench.', model: 'claude-sonnet-5-5', tools: testTools, history: [] },
    ...{ maxTurns: 100, maxOutputTokens: 1000, host: new MemoryHost(), signal: new AbortController().signal },
  };
}

async function timed(open: () => Promise<Conversation>): Promise<number[]> {
  const opened = await open();
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedMs = performance.now();
    await opened.send(`round ${round}`);
    took.push(performance.now() - startedMs);
  }
  await opened.close();
  return took;
}

function figuresOf(name: string, [first = NaN, ...later]: readonly number[]): Figure[] {
  const middle = later.sort((a, b) => a - b)[Math.floor(later.length / 2)] ?? NaN;
  return [
    { name: `${name}: first exchange`, value: first, unit: 'ms' },
    { name: `${name}: later exchange, median`, value: middle, unit: 'ms' },
  ];
}
