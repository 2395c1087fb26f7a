import type { LiveState, TaskState } from '../core/liveState';

/**
 * One level of priority is worth so much waiting: a `P1` that has waited this much longer goes before a `P0`. That is what
 * keeps a low priority from waiting for ever.
 */
const waitingPerLevelMs = 4 * 3_600_000;

function rank(task: TaskState): number {
  return task.queuedAtMs + task.spec.priority * waitingPerLevelMs;
}

/** Priority, then age; ids decide between equals, so that the order is the same everywhere. */
export function compareTasks(a: TaskState, b: TaskState): number {
  return rank(a) - rank(b) || (a.id < b.id ? -1 : 1);
}

export type Readiness =
  | { readonly kind: 'ready' }
  | { readonly kind: 'later'; readonly atMs: number }
  | { readonly kind: 'waits'; readonly reason: string }
  | { readonly kind: 'blocked'; readonly reason: string };

/** Whether a queued task may start now, by its dependencies and its time. */
export function readinessOf(state: LiveState, task: TaskState, nowMs: number): Readiness {
  for (const id of task.spec.dependsOn) {
    const dependency = state.tasks.get(id);
    if (!dependency) return { kind: 'blocked', reason: `It depends on ${id}, which is not there.` };
    switch (dependency.status) {
      case 'verified':
      case 'landed':
        break;
      case 'queued':
      case 'accepting':
      case 'running':
      case 'waiting':
      case 'blocked':
        return { kind: 'waits', reason: `It waits for “${dependency.spec.title}”.` };
      case 'partial':
      case 'unchecked':
      case 'contradicted':
      case 'failed':
      case 'cancelled':
      case 'discarded':
        return { kind: 'blocked', reason: `It depends on “${dependency.spec.title}”, which is ${dependency.status}.` };
    }
  }
  return task.notBeforeMs > nowMs ? { kind: 'later', atMs: task.notBeforeMs } : { kind: 'ready' };
}
