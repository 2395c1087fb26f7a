import type { LiveState, TaskState } from '../../core/liveState';
import { isEnded } from '../../core/task';
import { needsReview } from './lookedAt';

/** What can be done to a task. The names stand in `when` clauses of the manifest. */
export const abilities = [
  'cancel',
  'runNow',
  'retry',
  'assignRepository',
  'openTerminal',
  'takeOver',
  'giveBack',
  'openChanges',
  'copyBranchName',
  'showDetails',
  'markReviewed',
] as const;
export type Ability = (typeof abilities)[number];

/**
 * What can be done to a task as it is now.
 * @param wasLookedAt The user has seen its result.
 */
export function abilitiesOf(state: LiveState, task: TaskState, wasLookedAt: boolean): Set<Ability> {
  const run = task.runId === null ? undefined : state.runs.get(task.runId);
  const session = run?.sessionId == null ? undefined : state.sessions.get(run.sessionId);
  const can: Record<Ability, boolean> = {
    cancel: !isEnded(task.status),
    runNow: task.status === 'queued',
    retry: canRetry(task),
    assignRepository: lacksRepository(task),
    openTerminal: session !== undefined,
    takeOver: session?.takenOver === false,
    giveBack: session?.takenOver === true,
    openChanges: run?.commit != null,
    copyBranchName: run?.branch != null,
    showDetails: true,
    markReviewed: needsReview(task) && !wasLookedAt,
  };
  return new Set(abilities.filter((ability) => can[ability]));
}

/** It waits for the user because nobody could tell which repository it is for. */
export function lacksRepository(task: TaskState): boolean {
  return task.status === 'waiting' && task.waitingOn === 'user' && task.spec.repo === null;
}

function canRetry(task: TaskState): boolean {
  switch (task.status) {
    case 'partial':
    case 'unchecked':
    case 'contradicted':
    case 'failed':
    case 'cancelled':
    case 'discarded':
    case 'blocked':
      return true;
    case 'waiting':
      return task.waitingOn !== 'lane' && task.spec.repo !== null;
    case 'queued':
    case 'accepting':
    case 'running':
    case 'verified':
    case 'landed':
      return false;
  }
}
