import type { Disposable } from '../base/disposable';
import type { Event } from '../base/emitter';
import type { ApprovalDecision } from './approval';
import type { ConflictReport, ConflictSide, Resolution } from './conflict';
import type { DataDeletion, DeletedData } from './dataDeletion';
import type { AirlockEvent } from './events';
import type { HistoryAnswer, HistoryQuery } from './history';
import type { Digest, ObjectId, SessionId, TaskId } from './ids';
import type { JailProof, JailReadiness } from './jail';
import type { Keyboard, TerminalSize } from './keyboard';
import type { Landed, LandingOptions, LandingTargets } from './landing';
import type { LiveState } from './liveState';
import type { Cleaning, CleanedWorkspace, StoredWorkspace } from './storedWorkspace';
import type { PersonaList } from './persona';
import type { NewComment } from './reviewComment';
import type { SessionUse } from './sessionUse';
import type { NewTask } from './task';
import type { FileChange } from './workspace';

/** Where an executor runs, seen from the one who holds this interface. */
export type ExecutorPlace =
  /** In this very process, which owns the storage. */
  | { readonly kind: 'here' }
  /** In another process of the same user, reached over its socket. */
  | { readonly kind: 'elsewhere'; readonly pid: number }
  /** The owner is gone and nobody has taken over yet; commands wait for a short while and then fail. */
  | { readonly kind: 'nowhere' };

export interface ResultChanges {
  readonly repo: string;
  readonly baseCommit: ObjectId;
  readonly commit: ObjectId;
  readonly branch: string;
  readonly files: readonly FileChange[];
}

/** What came of putting a run's files back. */
export interface RestoredSnapshot {
  /** The snapshot of what was there before: restoring it undoes this. */
  readonly savedAs: number;
  readonly files: readonly FileChange[];
}

/**
 * The one process that works the queue, as commands, a state and a stream of events. It is the same whether it is in this
 * process, in another window or in a background worker. Commands resolve when their events are durable; they throw
 * `UserError` for what the user can mend (`unknown-task`, `wrong-state`, `disk-full`, …).
 */
export interface Executor extends Disposable {
  readonly place: ExecutorPlace;
  /** Follows the events; do not change it. The object may be replaced when the executor moves: read it anew each time. */
  readonly state: LiveState;
  /** Events that were appended, after they were applied to `state`. */
  readonly onDidAppend: Event<readonly AirlockEvent[]>;
  /** The state was replaced as a whole or the place changed: show everything anew. */
  readonly onDidReset: Event<void>;

  /** Queues a task. The same origin again answers the task that is there. */
  add(task: NewTask): Promise<TaskId>;
  startQueue(): Promise<void>;
  /** No new run starts; what runs goes on. */
  pauseQueue(): Promise<void>;
  /** No new run starts, and what runs is interrupted: it goes back into the queue and goes on where it was. */
  stopQueue(): Promise<void>;
  /** Ends a task as cancelled, wherever it is, and its run with it. */
  cancel(taskId: TaskId): Promise<void>;
  /**
   * Queues a task again that ended without being verified or whose result does not go with what its branch has become, or
   * lets one go on that waits for the user.
   */
  retry(taskId: TaskId): Promise<void>;
  /** Starts a queued task before all others, even while the queue is paused, as soon as there is a slot. */
  runNow(taskId: TaskId): Promise<void>;
  /** Says which repository a task is for that could not be told. */
  assignRepository(taskId: TaskId, repo: string): Promise<void>;
  /**
   * Answers what the agent of a task has asked; it goes on with that.
   * @throws {UserError} `wrong-state` when it asks nothing; `answer-invalid` when the answer is empty or too long.
   */
  answer(taskId: TaskId, text: string): Promise<void>;
  /**
   * Says yes or no to what the agent of a task asks to be allowed; it goes on with that.
   * @throws {UserError} `wrong-state` when it asks for nothing; `approval-gone` when it asks for something else by now;
   * `approval-invalid` when it cannot be remembered in that way.
   */
  decide(taskId: TaskId, decision: ApprovalDecision): Promise<void>;
  /** Holds one task back, and its run where it is, until it is resumed or retried. */
  pauseTask(taskId: TaskId): Promise<void>;
  /** Lets a paused task go on where it was. */
  resumeTask(taskId: TaskId): Promise<void>;
  /** Puts a task before another one in the order, or behind all others. */
  moveTask(taskId: TaskId, before: TaskId | null): Promise<void>;
  /** Sends a task's report again that its source would not take. @throws {UserError} `no-dead-report`. */
  retryReport(taskId: TaskId): Promise<void>;
  /** Takes nothing more from a source; what was taken goes on. @throws {UserError} `unknown-source`. */
  pauseSource(sourceId: string): Promise<void>;
  resumeSource(sourceId: string): Promise<void>;
  /** Looks for tasks at every source at once. */
  refreshSources(): Promise<void>;

  /** The bytes of a blob that an event names. `undefined` when it was deleted. */
  readBlob(digest: Digest): Promise<Uint8Array | undefined>;
  /** What a task's published result changed. @throws {UserError} `no-result`. */
  changes(taskId: TaskId): Promise<ResultChanges>;
  /** A file of a published result, or of its base; `undefined` when it is not there. */
  readResultFile(taskId: TaskId, side: 'base' | 'result', path: string): Promise<Uint8Array | undefined>;
  /** What changed between two snapshots of a task's last run; 0 is its base. @throws {UserError} `unknown-snapshot`, `snapshot-gone`. */
  snapshotChanges(taskId: TaskId, from: number, to: number): Promise<readonly FileChange[]>;
  /** A file of a snapshot; `undefined` when it is not there. @throws {UserError} `unknown-snapshot`, `snapshot-gone`. */
  readSnapshotFile(taskId: TaskId, index: number, path: string): Promise<Uint8Array | undefined>;
  /**
   * Makes the files of a task's last run what they were at a snapshot. What they are now is kept as one before that; the
   * agent learns what changed with its next turn. Ignored files stay.
   * @throws {UserError} `unknown-snapshot`; `session-busy` while the agent runs something and nobody has taken its session
   * over; `wrong-state` while the run is being started or ended; `workspace-gone` when its files are not there any more;
   * `restore-failed`.
   */
  restoreSnapshot(taskId: TaskId, index: number): Promise<RestoredSnapshot>;
  /**
   * Makes the branch `airlock/<task>-<attempt>-s<index>` of a snapshot, for runs that have ended too. Doing it again answers
   * the same. @throws {UserError} `unknown-snapshot`, `snapshot-gone`, and what publishing a result throws.
   */
  publishSnapshot(taskId: TaskId, index: number): Promise<{ readonly branch: string; readonly commit: ObjectId }>;
  /** What is left of the workspaces of runs, with sizes. */
  workspaces(): Promise<readonly StoredWorkspace[]>;
  /**
   * Deletes what is old enough and cannot be missed: never the workspace of a run that has not ended, and files that are in
   * no branch only when they are forced by name. Answers what became of each that was looked at.
   * @throws {UserError} `unknown-workspace` when what is forced is not there.
   */
  cleanWorkspaces(cleaning: Cleaning): Promise<readonly CleanedWorkspace[]>;
  /**
   * Deletes prompts, conversations, outputs and recordings of tasks that are over, for good. What was done and what it cost
   * stays known; a task without its prompt cannot be tried again.
   */
  deleteData(deletion: DataDeletion): Promise<DeletedData>;
  /** Shows a session's terminal: first what was shown so far, then what comes, until disposed of. */
  watchSession(sessionId: SessionId, onOutput: (text: string) => void): Promise<Disposable>;
  /** What each living session uses now, for who shows it. */
  sessionUse(): Promise<readonly SessionUse[]>;
  /** The whole recording of a session, as asciicast v2. @throws {UserError} `unknown-session`. */
  readRecording(sessionId: SessionId): Promise<Uint8Array>;
  /** Puts a session that is over out of the way, with its recording. @throws {UserError} `unknown-session`, `wrong-state`. */
  archiveSession(sessionId: SessionId): Promise<void>;
  /** Deletes what was recorded of a session that is over. @throws {UserError} `unknown-session`, `wrong-state`. */
  deleteSession(sessionId: SessionId): Promise<void>;
  /**
   * Gives the user the keyboard of a living session; what happens in it shows where the session is watched. When this
   * executor is elsewhere and the connection ends, the keyboard goes back to the agent by itself.
   * @throws {UserError} `unknown-session`, `session-taken`, `session-closed`, `pty-unavailable`.
   */
  takeOver(sessionId: SessionId, size: TerminalSize): Promise<Keyboard>;
  /**
   * Lets a task's result out onto a branch of the user's: laid over the branch as it is now, checked there, and then moved
   * forward as a fast-forward does. One after another.
   * @throws {UserError} `wrong-state`, `no-result`, `landing-unproven`, `landing-conflict`, `landing-check-failed`, `landing-overwrites`,
   * `landing-moved`, `landing-empty`, `landing-target`, `landing-detached`: the branch is where it was.
   */
  land(taskId: TaskId, options?: LandingOptions): Promise<Landed>;
  /** The branches that a task's result could be let out onto. @throws {UserError} `no-result`. */
  landingTargets(taskId: TaskId): Promise<LandingTargets>;
  /** Gives a landing up that is under way, unless its branch is just being moved; nothing is changed then. Otherwise does nothing. */
  cancelLanding(taskId: TaskId): Promise<void>;
  /**
   * Makes a branch of the user's own of a task's result, as it was checked. Its task stays as it is.
   * @throws {UserError} `no-result`; `branch-name-invalid`, `branch-exists`.
   */
  keepAsBranch(taskId: TaskId, name: string): Promise<void>;
  /**
   * Remembers the page of a pull request that the user has opened of a task's result, and tells those of its sources that can be
   * told something after a task's end.
   * @throws {UserError} `no-result`; `pull-request-invalid`.
   */
  notePullRequest(taskId: TaskId, url: string): Promise<void>;
  /**
   * Keeps a comment on lines of a task's result until it is sent back, or writes one anew. @returns its id.
   * @throws {UserError} `no-result`, `comment-invalid`, `unknown-file`, `unknown-comment`.
   */
  comment(taskId: TaskId, comment: NewComment): Promise<string>;
  /** Throws a comment away that was not sent. @throws {UserError} `unknown-comment`. */
  deleteComment(taskId: TaskId, commentId: string): Promise<void>;
  /**
   * Sends the result of a task that has ended back to its agent, with the comments that are kept and with `text`: its run goes
   * on with its conversation, its files and what it has spent. The agent has its time and turns anew.
   * @throws {UserError} `wrong-state`, `nothing-to-send`, `comment-invalid`.
   */
  sendBack(taskId: TaskId, text?: string): Promise<void>;
  /**
   * Sends a result back that is in conflict with its branch: its run goes on from what the branch is now, with the result laid
   * over it, and is told which files are in conflict.
   * @throws {UserError} `wrong-state`.
   */
  sendBackConflict(taskId: TaskId): Promise<void>;
  /**
   * What a result and its branch are in conflict about, and what can be done about each file.
   * @throws {UserError} `wrong-state` when it is in no conflict that can be resolved by hand; `landing-moved`.
   */
  conflict(taskId: TaskId): Promise<ConflictReport>;
  /** What one side has of a file in conflict; `undefined` when it has none. @throws {UserError} `wrong-state`. */
  readConflictFile(taskId: TaskId, side: ConflictSide, path: string): Promise<Uint8Array | undefined>;
  /**
   * Lets a result out with what the user has made of every file in conflict: as `land` does, onto the same branch. When it fails
   * otherwise than by another conflict, the conflict stays and can be resolved again.
   * @throws {UserError} what `land` throws; `resolution-invalid`, `resolution-too-large`, `resolution-unfinished` (there are
   * conflict markers left): then nothing was begun. `landing-outdated` when nothing is in conflict any more.
   */
  landResolved(taskId: TaskId, resolution: Resolution): Promise<Landed>;
  /** Takes a result back that nothing was built on. @throws {UserError} `wrong-state`, `landing-built-on`, `landing-overwrites`. */
  undoLanding(taskId: TaskId): Promise<void>;
  /** Throws away what a task that is over has made: its branch, and the files that are left. @throws {UserError} `wrong-state`. */
  discard(taskId: TaskId): Promise<void>;
  history(query: HistoryQuery): Promise<HistoryAnswer>;
  /** The personas that tasks for a repository can name; `null`: those that there are without one. */
  personas(repo: string | null): Promise<PersonaList>;
  jailReadiness(): Promise<JailReadiness>;
  /** Starts a jail as a run would have it and tries to get out of it. */
  proveJail(): Promise<JailProof>;

  /**
   * Here: ends in order. Runs are left as they are on disk and go on at the next start; every process is ended, and the
   * storage is let go. Elsewhere: disconnects.
   */
  shutdown(): Promise<void>;
}
