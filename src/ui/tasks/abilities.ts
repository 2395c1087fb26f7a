import { type ApprovalState, isOpenApproval } from '../../core/approval';
import {
  isInConflict,
  isLanding,
  isOutdated,
  type LiveState,
  type RunState,
  type TaskState,
} from '../../core/liveState';
import { isEnded } from '../../core/task';
import { needsReview } from './lookedAt';
import { groupOf } from './taskGroup';

/** What can be done to a task. The names stand in `when` clauses of the manifest. */
export const abilities = [
  'cancel',
  'runNow',
  'retry',
  'pause',
  'resume',
  'move',
  'sendReportAgain',
  'assignRepository',
  'answer',
  'decide',
  'approveMcpServer',
  'openTerminal',
  'takeOver',
  'giveBack',
  'openChanges',
  'copyBranchName',
  'showDetails',
  'markReviewed',
  'accept',
  'cancelAccept',
  'sendBack',
  'sendBackConflict',
  'resolveConflict',
  'undoAccept',
  'discard',
  'readSnapshots',
  'restoreSnapshot',
] as const;
export type Ability = (typeof abilities)[number];

/** What the user knows of a task. */
export interface Seen {
  /** Its result was looked at. */
  readonly result: boolean;
  readonly hasDeadReport: boolean;
  /** The user wants to hear no more of it. */
  readonly deadReport: boolean;
}

/**
 * What can be done to a task as it is now.
 * @param seen What the user has seen or given up of it.
 */
export function abilitiesOf(state: LiveState, task: TaskState, seen: Seen): Set<Ability> {
  const run = task.runId === null ? undefined : state.runs.get(task.runId);
  const session = run?.sessionId == null ? undefined : state.sessions.get(run.sessionId);
  const can: Record<Ability, boolean> = {
    cancel: !isEnded(task.status),
    runNow: task.status === 'queued',
    retry: canRetry(task),
    // Blocked, or waiting for the user: it goes on only when the user wants it to.
    pause: !isEnded(task.status) && task.status !== 'blocked' && task.waitingOn !== 'user',
    resume: task.paused === true,
    move: groupOf(task, true) === 'queued',
    sendReportAgain: seen.hasDeadReport,
    assignRepository: lacksRepository(task),
    answer: openQuestionOf(task, run) !== undefined,
    decide: openApprovalOf(task, run) !== undefined,
    approveMcpServer: task.status === 'waiting' && task.mcpServer !== undefined,
    openTerminal: session !== undefined,
    takeOver: session?.takenOver === false,
    giveBack: session?.takenOver === true,
    openChanges: run?.commit != null && task.status !== 'discarded',
    copyBranchName: run?.branch != null && task.status !== 'discarded',
    showDetails: true,
    markReviewed: (needsReview(task) && !seen.result) || (seen.hasDeadReport && !seen.deadReport),
    accept: canAccept(task, run),
    // Once its branch is being moved it is over in a moment, one way or the other.
    cancelAccept: task.landingWaits === true || task.landing?.phase === 'merging',
    sendBack: canSendBack(task, run),
    sendBackConflict: canSendBack(task, run) && isInConflict(task),
    resolveConflict: canAccept(task, run) && isInConflict(task) && task.landing?.conflict != null,
    undoAccept: task.status === 'landed' && task.landing?.from != null && task.landing.commit !== null,
    discard: canDiscard(task, run),
    readSnapshots: hasSnapshots(task, run),
    // What is published has left its folder.
    restoreSnapshot: hasSnapshots(task, run) && run?.commit === null,
  };
  return new Set(abilities.filter((ability) => can[ability]));
}

/** It waits for the user because nobody could tell which repository it is for. */
export function lacksRepository(task: TaskState): boolean {
  return task.status === 'waiting' && task.waitingOn === 'user' && !task.paused && task.spec.repo === null;
}

/** What the agent asks its user, while it waits for an answer. */
export function openQuestionOf(task: TaskState, run: RunState | undefined): string | undefined {
  if (task.status !== 'waiting' || run?.outcome !== null || run.question?.answer !== null) return undefined;
  return run.question.text;
}

/** What the agent asks to be allowed, while it waits for that. */
export function openApprovalOf(task: TaskState, run: RunState | undefined): ApprovalState | undefined {
  if (task.status !== 'waiting' || run?.outcome !== null) return undefined;
  return isOpenApproval(run.approval) ? run.approval : undefined;
}

function canAccept(task: TaskState, run: RunState | undefined): boolean {
  if (run?.commit == null || run.branch === null || isLanding(task)) return false;
  return task.status === 'verified' || task.status === 'partial' || task.status === 'unchecked';
}

/** Its run has ended, and its agent has said something: it can be told what to do about the result. */
export function canSendBack(task: TaskState, run: RunState | undefined): boolean {
  const isDecided = task.status === 'landed' || task.status === 'discarded';
  if (run === undefined || isDecided || isLanding(task)) return false;
  return isEnded(task.status) && run.outcome !== null && run.messages.length > 0;
}

/** There is something that would be thrown away. */
function canDiscard(task: TaskState, run: RunState | undefined): boolean {
  const isDecided = task.status === 'landed' || task.status === 'discarded';
  return run !== undefined && isEnded(task.status) && !isDecided && !isLanding(task);
}

function hasSnapshots(task: TaskState, run: RunState | undefined): boolean {
  return run !== undefined && run.snapshots.length > 0 && task.status !== 'discarded';
}

function canRetry(task: TaskState): boolean {
  if (isLanding(task)) return false;
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
      return task.waitingOn !== 'lane' && task.spec.repo !== null && !task.paused;
    case 'queued':
    case 'accepting':
    case 'running':
    case 'landed':
      return false;
    case 'verified':
      return isOutdated(task);
  }
}
