import type { SessionId, TaskId } from '../../core/ids';
import type { TaskGroup } from '../tasks/taskGroup';

/** What a command was called with, after its need was met. */
export interface CommandTarget {
  /** One task for a command that needs a task, one or more for one that takes several, else none. */
  readonly taskIds: readonly TaskId[];
  /** The group for a command that needs one. */
  readonly group: TaskGroup | null;
  /** The session for a command that needs one. */
  readonly sessionId: SessionId | null;
  /** The source for a command that needs one. */
  readonly sourceId: string | null;
}

/**
 * What a command does. It may throw: the wrapper round every command finds the words.
 * @throws {CancelledError} when the user gave up.
 */
export type CommandAction = (target: CommandTarget) => void | Promise<void>;

export type QueueActions = Record<
  'startQueue' | 'pauseQueue' | 'stopQueue' | 'addTask' | 'refreshSources',
  CommandAction
>;

export type TaskActions = Record<
  | 'runTaskNow'
  | 'cancelTask'
  | 'retryTask'
  | 'assignRepository'
  | 'approveMcpServer'
  | 'answer'
  | 'decide'
  | 'openTerminal'
  | 'takeOverTerminal'
  | 'giveBackTerminal'
  | 'openChanges'
  | 'copyBranchName'
  | 'showDetails'
  | 'markReviewed'
  | 'showMoreTasks',
  CommandAction
>;

export type SteeringActions = Record<
  | 'pauseTask'
  | 'resumeTask'
  | 'moveTaskUp'
  | 'moveTaskDown'
  | 'moveTaskToTop'
  | 'sendReportAgain'
  | 'pauseSource'
  | 'resumeSource',
  CommandAction
>;

export type SnapshotActions = Record<
  'compareSnapshots' | 'restoreSnapshot' | 'keepSnapshot' | 'cleanWorkspaces' | 'deleteData',
  CommandAction
>;

export type LandingActions = Record<
  | 'review'
  | 'sendBack'
  | 'sendBackConflict'
  | 'resolveConflict'
  | 'landResolved'
  | 'keepAsBranch'
  | 'openPullRequest'
  | 'accept'
  | 'acceptOnto'
  | 'acceptFiles'
  | 'cancelAccept'
  | 'undoAccept'
  | 'discard',
  CommandAction
>;

export type SessionActions = Record<'replaySession' | 'goToTask', CommandAction>;

export type SecretActions = Record<
  'setApiKey' | 'deleteApiKey' | 'setZMemoryToken' | 'deleteZMemoryToken' | 'setMcpSecret',
  CommandAction
>;

export type ModelActions = Record<'chooseModel', CommandAction>;

export type ViewActions = Record<
  | 'proveJail'
  | 'showPersonas'
  | 'showTasks'
  | 'showSessions'
  | 'showMenu'
  | 'showLog'
  | 'openSettings'
  | 'openWalkthrough'
  | 'tryAgain'
  | 'manageTrust',
  CommandAction
>;

export type CommandActions = QueueActions &
  TaskActions &
  LandingActions &
  SnapshotActions &
  SteeringActions &
  SessionActions &
  SecretActions &
  ModelActions &
  ViewActions;
