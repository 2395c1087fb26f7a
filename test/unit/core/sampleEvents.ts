import type { AirlockEvent, EventBody } from '../../../src/core/events';
import type { TaskSpec } from '../../../src/core/task';
import type { TokenUsage } from '../../../src/core/usage';

export const sampleDigest = '5'.repeat(64);
export const sampleCommit = 'c'.repeat(40);
export const sampleTree = 'd'.repeat(40);

export const sampleSpec: TaskSpec = {
  title: 'Mend the parser',
  prompt: sampleDigest,
  priority: 2,
  persona: null,
  checks: ['npm test'],
  limits: {},
  dependsOn: [],
  repo: '/home/dev/project',
  origin: { sourceId: 'zmemory:main', externalId: '17' },
  context: null,
  refusal: null,
};

export const sampleUsage: TokenUsage = {
  inputTokens: 100,
  outputTokens: 20,
  cacheWrite5mTokens: 30,
  cacheWrite1hTokens: 4,
  cacheReadTokens: 500,
};

export function queued(taskId: string, spec: Partial<TaskSpec> = {}): EventBody {
  return { kind: 'task.queued', taskId, spec: { ...sampleSpec, ...spec } };
}

export function runStarted(runId: string, taskId: string, attempt = 1): EventBody {
  return {
    kind: 'run.started',
    runId,
    taskId,
    attempt,
    repo: '/home/dev/project',
    engine: 'anthropic',
    model: 'model-a',
    persona: 'implementer',
  };
}

export function usageRecorded(runId: string, costUsd: number | null = 0.25, model = 'model-a'): EventBody {
  return { kind: 'usage.recorded', runId, model, usage: sampleUsage, costUsd };
}

/** Gives bodies their places: numbered from `firstSeq`, a second apart from `startMs`. */
export function asEvents(bodies: readonly EventBody[], startMs = 1_000, firstSeq = 1): AirlockEvent[] {
  return bodies.map((body, index) => ({ seq: firstSeq + index, atMs: startMs + index * 1000, v: 1, ...body }));
}
