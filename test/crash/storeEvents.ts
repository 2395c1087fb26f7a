import type { EventBody } from '../../src/core/events';

export function queued(taskId: string): EventBody {
  const spec = {
    title: `The task ${taskId}`,
    prompt: '5'.repeat(64),
    priority: 2 as const,
    persona: null,
    checks: null,
    limits: {},
    dependsOn: [],
    repo: null,
    origin: { sourceId: 'user', externalId: taskId },
    context: null,
    refusal: null,
  };
  return { kind: 'task.queued', taskId, spec };
}

export function ended(taskId: string): EventBody {
  return { kind: 'task.ended', taskId, outcome: 'verified', reason: '', runId: null };
}
