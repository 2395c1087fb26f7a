import { constants } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import { sha256 } from '../../src/base/digest';
import type { EventBody } from '../../src/core/events';
import { openBlobFolder } from '../../src/store/blobFolder';
import { openStore, type Store } from '../../src/store/store';
import type { Figure } from './figure';

const rounds = 400;
const groupSize = 50;
const replayedEvents = 100_000;

/** An event such as a run makes most of: a tool call, and now and then what it cost. */
function sampleEvent(index: number): EventBody {
  if (index % 4 === 0) {
    return {
      kind: 'usage.recorded',
      runId: 'run-1',
      model: 'model-a',
      usage: {
        inputTokens: index,
        outputTokens: 20,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0,
        cacheReadTokens: 900,
      },
      costUsd: 0.01,
    };
  }
  return {
    kind: 'tool.called',
    runId: 'run-1',
    callId: `call-${index % 50}`,
    name: 'bash',
    summary: 'npm test -- --watch=false',
  };
}

const opening: EventBody[] = [
  {
    kind: 'task.queued',
    taskId: 'task-1',
    spec: {
      title: 'A task',
      prompt: sha256('a prompt'),
      priority: 2,
      persona: null,
      checks: null,
      limits: {},
      dependsOn: [],
      repo: null,
      origin: { sourceId: 'user', externalId: '1' },
      context: null,
      refusal: null,
    },
  },
  {
    kind: 'run.started',
    runId: 'run-1',
    taskId: 'task-1',
    attempt: 1,
    repo: '/repo',
    engine: 'scripted',
    model: 'model-a',
    persona: 'implementer',
  },
];

async function perSecond(count: number, action: (index: number) => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  for (let index = 0; index < count; index += 1) await action(index);
  return (count * 1000) / (performance.now() - startMs);
}

/** What the disk gives: one line appended and synced at a time, with nothing around it. */
async function rawAppends(folder: string): Promise<number> {
  const handle = await open(path.join(folder, 'raw'), constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND);
  const line = Buffer.from(`${JSON.stringify({ seq: 1, atMs: 1, v: 1, ...sampleEvent(0) })}${'x'.repeat(300)}\n`);
  try {
    return await perSecond(rounds, async () => {
      await handle.write(line);
      await handle.datasync();
    });
  } finally {
    await handle.close();
  }
}

/** What is really in use. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

function openBenchStore(storage: string): Promise<Store> {
  return openStore({
    storage,
    clock: systemClock,
    logger: silentLogger,
    eventsBetweenSnapshots: Number.POSITIVE_INFINITY,
  });
}

async function appends(folder: string): Promise<Figure[]> {
  const store = await openBenchStore(path.join(folder, 'appends'));
  await store.journal.append(opening);
  const group = Array.from({ length: groupSize }, (_, index) => sampleEvent(index));
  // Raw and alone take turns, so that a disk that is busy elsewhere slows both.
  const raw: number[] = [];
  const alone: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    raw.push(await rawAppends(folder));
    alone.push(await perSecond(rounds, (index) => store.journal.append([sampleEvent(index)])));
  }
  const grouped = (await perSecond(rounds, () => store.journal.append(group))) * groupSize;
  const waiting =
    (await perSecond(rounds, () => Promise.all(group.map((body) => store.journal.append([body]))))) * groupSize;
  await store.close();
  const [best, bestRaw] = [Math.max(...alone), Math.max(...raw)];
  return [
    { name: 'raw write + fdatasync', value: bestRaw, unit: 'lines/s', note: 'the disk alone, best of 3' },
    {
      name: 'journal append, one event at a time',
      value: best,
      unit: 'events/s',
      note: `durable; ${(best / bestRaw).toFixed(2)} of raw`,
    },
    { name: `journal append, groups of ${groupSize}`, value: grouped, unit: 'events/s', note: 'durable' },
    {
      name: `durable events in groups of ${groupSize} against as many single appends`,
      value: grouped / bestRaw,
      unit: 'times',
      note: 'each single one written and synced alone',
    },
    {
      name: `journal append, ${groupSize} callers at once`,
      value: waiting,
      unit: 'events/s',
      note: 'durable, one write',
    },
  ];
}

async function replay(folder: string): Promise<Figure[]> {
  const storage = path.join(folder, 'replay');
  const writing = await openBenchStore(storage);
  await writing.journal.append(opening);
  for (let done = 0; done < replayedEvents; done += 1000) {
    await writing.journal.append(Array.from({ length: 1000 }, (_, index) => sampleEvent(done + index)));
  }
  await writing.close();
  await rm(path.join(storage, 'snapshots'), { recursive: true });
  const timed = async (): Promise<{ store: Store; ms: number }> => {
    const startMs = performance.now();
    const store = await openBenchStore(storage);
    return { store, ms: performance.now() - startMs };
  };
  const emptyBytes = heapBytes();
  const whole = await timed();
  const restBytes = heapBytes() - emptyBytes;
  const queryMs = performance.now();
  await whole.store.history.query({ kind: 'daily', days: 30 });
  const historyMs = performance.now() - queryMs;
  await whole.store.close();
  const snapshot = await timed();
  await snapshot.store.close();
  return [
    {
      name: `replay of ${replayedEvents} events`,
      value: whole.ms,
      unit: 'ms',
      note: 'checksums, chain, schemas and fold',
    },
    {
      name: `memory at rest with ${replayedEvents} events`,
      value: restBytes / 1024 ** 2,
      unit: 'MiB',
      note: 'heap after a collection',
    },
    { name: `start from a snapshot of ${replayedEvents} events`, value: snapshot.ms, unit: 'ms' },
    {
      name: `first history answer over ${replayedEvents} events`,
      value: historyMs,
      unit: 'ms',
      note: 'worker start, sql.js, build',
    },
  ];
}

async function blobs(folder: string): Promise<Figure[]> {
  const store = await openBlobFolder(path.join(folder, 'blobs'));
  const value = await perSecond(rounds, (index) => store.put(`${index} ${'x'.repeat(8_000)}`));
  return [{ name: 'blob of 8 kB stored', value, unit: 'blobs/s', note: 'durable' }];
}

/** Measures the store on the disk of the temporary folder. */
export async function bench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'airlock-bench-'));
  try {
    return [...(await appends(folder)), ...(await replay(folder)), ...(await blobs(folder))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
