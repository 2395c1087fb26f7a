import type { TaskId } from '../core/ids';
import type { LiveState, TaskState } from '../core/liveState';
import { arrivalOf, startRankOf } from '../core/taskRank';
import { ringOf } from './dependencyRing';

/** Priority, then age, then arrival; ids decide between equals, so that the order is the same everywhere. */
export function compareTasks(a: TaskState, b: TaskState): number {
  return startRankOf(a) - startRankOf(b) || arrivalOf(a) - arrivalOf(b) || (a.id < b.id ? -1 : 1);
}

export type Readiness =
  | { readonly kind: 'ready' }
  | { readonly kind: 'later'; readonly atMs: number }
  | { readonly kind: 'waits'; readonly reason: string }
  | { readonly kind: 'blocked'; readonly reason: string };

/** Whether a queued task may start now, by its dependencies and its time. */
export function readinessOf(state: LiveState, task: TaskState, nowMs: number): Readiness {
  const trouble = dependencyTrouble(state, task);
  if (trouble) return trouble;
  return task.notBeforeMs > nowMs ? { kind: 'later', atMs: task.notBeforeMs } : { kind: 'ready' };
}

/**
 * What its dependencies have against a task: `waits` for one that is still to be done, `blocked` by one that came to nothing,
 * is not there, or is the task itself, through whatever others. `undefined` when all are verified.
 */
export function dependencyTrouble(
  state: LiveState,
  task: TaskState,
): Extract<Readiness, { kind: 'waits' | 'blocked' }> | undefined {
  const { dependsOn, dependsOnMissing = [] } = task.spec;
  const [missing] = dependsOnMissing;
  if (missing !== undefined) {
    const reason = `It depends on “${missing}”, which its source has not offered. If that is done, run this task now by hand.`;
    return { kind: 'blocked', reason };
  }
  if (dependsOn.length === 0) return undefined;
  const ring = ringOf(state, task);
  if (ring) {
    const titles = [...ring, task].map(({ spec }) => `“${spec.title}”`);
    return { kind: 'blocked', reason: `It depends on itself: ${titles.join(' → ')}.` };
  }
  const troubles = dependsOn.map((id) => troubleWith(state, id)).filter((trouble) => trouble !== undefined);
  return troubles.find(({ kind }) => kind === 'blocked') ?? troubles[0];
}

function troubleWith(state: LiveState, id: TaskId): ReturnType<typeof dependencyTrouble> {
  const dependency = state.tasks.get(id);
  if (!dependency) return { kind: 'blocked', reason: `It depends on ${id}, which is not there.` };
  switch (dependency.status) {
    case 'verified':
    case 'landed':
      return undefined;
    case 'queued':
    case 'accepting':
    case 'running':
    case 'waiting':
      return { kind: 'waits', reason: `It waits for “${dependency.spec.title}”.` };
    case 'blocked':
    case 'partial':
    case 'unchecked':
    case 'contradicted':
    case 'failed':
    case 'cancelled':
    case 'discarded':
      return { kind: 'blocked', reason: `It depends on “${dependency.spec.title}”, which is ${dependency.status}.` };
  }
}
