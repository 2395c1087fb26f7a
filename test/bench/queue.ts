import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openExecutor } from '../../src/assemble';
import { silentLogger } from '../../src/base/logger';
import { systemClock } from '../../src/base/clock';
import type { EventBody } from '../../src/core/events';
import type { TaskSource } from '../../src/core/source';
import { Intake } from '../../src/executor/intake';
import type { ExecutorPorts } from '../../src/executor/ports';
import { openStore } from '../../src/store/store';
import type { Figure } from './figure';

const queuedTasks = 10_000;
const added = 50;
const offeredTasks = 2_000;

/** Ten thousand queued tasks: how long a start takes to a usable state, and how long it takes to add one more. */
export async function bench(): Promise<Figure[]> {
  const storage = await mkdtemp(path.join(os.tmpdir(), 'airlock-bench-queue-'));
  try {
    await fill(storage);
    const startedMs = performance.now();
    const executor = await openExecutor(
      {
        storage,
        settings: {},
        repositories: () => [],
        engine: { kind: 'none' },
        sources: [],
        logger: silentLogger,
      },
      'work',
    );
    const startMs = performance.now() - startedMs;
    // The queue is paused, so that nothing runs beside it: what is measured is keeping the task and giving it its place.
    const times: number[] = [];
    for (let index = 0; index < added; index += 1) {
      const beforeMs = performance.now();
      await executor.add({ title: `More ${index}`, prompt: 'Do it.' });
      times.push(performance.now() - beforeMs);
    }
    await executor.shutdown();
    times.sort((a, b) => a - b);
    return [
      await intakeRate(),
      { name: `start with ${queuedTasks} queued tasks`, value: startMs, unit: 'ms', note: 'at most 500' },
      { name: `adding one to ${queuedTasks}, median`, value: times[added >> 1] ?? 0, unit: 'ms', note: 'at most 5' },
    ];
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
}

/** A source offers many tasks at once, each with a prompt of its own. */
async function intakeRate(): Promise<Figure> {
  const storage = await mkdtemp(path.join(os.tmpdir(), 'airlock-bench-intake-'));
  const store = await openStore({ storage, clock: systemClock, logger: silentLogger });
  try {
    let offer: (() => void) | undefined;
    const source: Pick<TaskSource, 'id' | 'start'> = {
      id: 'bench',
      start: (listener) => {
        const tasks = Array.from({ length: offeredTasks }, (_, index) => ({
          externalId: `offered-${index}`,
          task: { title: `Task ${index}`, prompt: `Do number ${index}.` },
        }));
        offer = () => listener.offer({ tasks, complete: true, problems: [] });
      },
    };
    const { room, blobs, state, onDidAppend, journal } = store;
    const events = { state, onDidAppend, append: (bodies: readonly EventBody[]) => journal.append(bodies) };
    const ports = { events, room, blobs, sources: [source], clock: systemClock, logger: silentLogger };
    new Intake(ports as unknown as ExecutorPorts).start();
    const startedMs = performance.now();
    const all = new Promise<void>((resolve) => onDidAppend(() => state.tasks.size === offeredTasks && resolve()));
    offer?.();
    await all;
    const perSecond = offeredTasks / ((performance.now() - startedMs) / 1000);
    return { name: `taking in ${offeredTasks} offered tasks`, value: perSecond, unit: 'tasks/s' };
  } finally {
    await store.close();
    await rm(storage, { recursive: true, force: true });
  }
}

async function fill(storage: string): Promise<void> {
  const store = await openStore({ storage, clock: systemClock, logger: silentLogger });
  const prompt = await store.blobs.put('Do it.');
  const bodies = Array.from({ length: queuedTasks }, (_, index): EventBody[] => {
    const taskId = `task-${index}`;
    const spec = {
      title: `Task ${index}`,
      prompt,
      priority: 2 as const,
      persona: null,
      checks: null,
      limits: {},
      dependsOn: [],
      repo: '/nowhere',
      origin: { sourceId: 'user', externalId: taskId },
      context: null,
      refusal: null,
    };
    return [
      { kind: 'task.queued', taskId, spec },
      { kind: 'task.accepted', taskId },
    ];
  });
  await store.journal.append(bodies.flat());
  await store.close();
}
