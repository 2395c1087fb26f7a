import type { TaskState } from './liveState';

/**
 * One level of priority is worth so much waiting: a `P1` that has waited this much longer goes before a `P0`. That is what
 * keeps a low priority from waiting for ever.
 */
const waitingPerLevelMs = 4 * 3_600_000;

/** A task's place in the order in which tasks start: lower goes first, and `arrivalOf` decides between equals. */
export function startRankOf(task: Pick<TaskState, 'rank' | 'queuedAtMs' | 'spec'>): number {
  return task.rank ?? task.queuedAtMs + task.spec.priority * waitingPerLevelMs;
}

/** Tasks that were queued in the same moment, as those of one offer are, start in the order in which they came. */
export function arrivalOf(task: Pick<TaskState, 'arrival'>): number {
  return task.arrival ?? 0;
}
