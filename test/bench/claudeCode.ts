import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import type { Conversation, Engine } from '../../src/core/engine';
import { createAnthropicEngine } from '../../src/engines/anthropic/anthropicEngine';
import { createClaudeCodeEngine } from '../../src/engines/claudeCode/claudeCodeEngine';
import { type FakeMessagesApi, startFakeMessagesApi } from '../fakes/messagesApi';
import { says } from '../fakes/messagesApiTurns';
import { ProgramSession } from '../fakes/programSession';
import { MemoryHost, testTools } from '../unit/engines/harness';
import { type Figure, median } from './figure';

const rounds = 5;

const modes = ['perRun', 'perExchange', 'prestarted', 'shared'] as const;
const runs = 3;

/**
 * One exchange of one answer, from what is said to its end, at a model that answers at once; of three conversations, the middle
 * one. `AIRLOCK_TEST_CLAUDE` names the program. With `shared` each but the first conversation begins with those before it.
 */
export async function bench(): Promise<Figure[]> {
  const program = process.env['AIRLOCK_TEST_CLAUDE'];
  const api = await startFakeMessagesApi(() => says('done'));
  try {
    const own: number[][] = [];
    for (let run = 0; run < runs; run += 1) own.push(await timed(await openOwn(api)));
    const figures = [...figuresOf('our own loop', own)];
    if (program === undefined)
      return [...figures, { name: 'Claude Code', value: NaN, unit: '', note: 'AIRLOCK_TEST_CLAUDE is not set' }];
    const workspace = await mkdtemp(path.join(tmpdir(), 'airlock-bench-'));
    for (const mode of modes) {
      const engine = createClaudeCodeEngine({ ...server(api), path: program, searchPath: '', processMode: mode });
      // What the first one of a context has is no more than `perRun` has.
      if (mode === 'shared') await timedIn(engine, workspace);
      const took: number[][] = [];
      for (let run = 0; run < runs; run += 1) took.push(await timedIn(engine, workspace));
      figures.push(...figuresOf(`Claude Code, ${mode}`, took));
    }
    await rm(workspace, { recursive: true, force: true });
    return figures;
  } finally {
    await api.close();
  }
}

async function timedIn(engine: Engine, workspace: string): Promise<number[]> {
  await mkdir(workspace, { recursive: true });
  const session = await ProgramSession.create(workspace);
  const folder = await mkdtemp(path.join(tmpdir(), 'airlock-bench-'));
  const { signal, ...setup } = conversation();
  try {
    session.mounts = (await engine.furnish?.(folder)) ?? [];
    const prestarted = await engine.prestart?.(setup, { session, folder }, [], signal);
    const place = { session, folder, ...(prestarted ? { prestarted } : {}) };
    return await timed(await engine.open({ ...setup, signal, sharedContext: 'bench', place }));
  } finally {
    await session.close();
    await rm(folder, { recursive: true, force: true });
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

async function timed(opened: Conversation): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedMs = performance.now();
    await opened.send(`round ${round}`);
    took.push(performance.now() - startedMs);
  }
  await opened.close();
  return took;
}

function figuresOf(name: string, took: readonly (readonly number[])[]): Figure[] {
  const first = took.map(([value = NaN]) => value);
  const later = took.flatMap(([, ...values]) => values);
  return [
    { name: `${name}: first exchange`, value: median(first), unit: 'ms' },
    { name: `${name}: later exchange, median`, value: median(later), unit: 'ms' },
  ];
}
