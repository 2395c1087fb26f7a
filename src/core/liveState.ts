import type { ApprovalRule, ApprovalState } from './approval';
import type { KeptImage } from './conversationEvents';
import { type BudgetState, emptyBudget, type MeasuredPrompt, type Spent } from './budget';
import type { AirlockEvent, EventBody } from './events';
import type { Conflict } from './conflict';
import type { CheckResult, Verdict } from './evidence';
import type { Digest, ObjectId, ReportId, RunId, SessionId, TaskId } from './ids';
import type { JailProof } from './jail';
import type { Overlap } from './overlapEvents';
import type { ReviewComment } from './reviewComment';
import type { RunSnapshot } from './runSnapshot';
import type { PastSession } from './pastSession';
import type { ProcessIdentity } from './session';
import type { Report } from './source';
import { isEnded, type TaskOrigin, type TaskOutcome, type TaskSpec, type TaskStatus } from './task';
import type { TokenUsage } from './usage';

/** One task as everything that shows something sees it. */
export interface TaskState {
  readonly id: TaskId;
  spec: TaskSpec;
  status: TaskStatus;
  /** Why it is as it is, in words; empty when there is nothing to say. */
  reason: string;
  /** What it was before it had to wait, so that it can go on. */
  statusBeforeWait: TaskStatus | null;
  /** Whom or what it waits for while it is `waiting`; `null` otherwise. */
  waitingOn: 'user' | 'budget' | 'lane' | null;
  /** The digest of the repository's MCP server that the user has to approve first. Absent: it waits for nothing of that kind. */
  mcpServer?: Digest;
  /** Its source has given it to us. */
  accepted: boolean;
  /** Runs so far. */
  attempts: number;
  /** How often in a row something went wrong that was tried again by itself. */
  failures: number;
  /** The last run. */
  runId: RunId | null;
  /** How far its result is on its way out, or why it did not get there; `null` while nobody has asked for that. */
  landing: LandingState | null;
  /** The user has accepted it, and others are let out first. Absent: no. */
  landingWaits?: true;
  queuedAtMs: number;
  /** Its place among all that were ever queued; absent in states of earlier versions. */
  arrival?: number;
  notBeforeMs: number;
  /** What the user says of lines of its results. Absent: nothing. */
  comments?: readonly ReviewComment[];
  /** Other tasks that touch the same lines. Absent: none is known. */
  overlaps?: readonly Overlap[];
  /** Branches of the user's own that were made of its results. Absent: none. */
  keptAs?: readonly string[];
  /** Pages of the pull requests that the user has opened of its results, the newest last. Absent: none is known. */
  pullRequests?: readonly string[];
  /** What all its runs together have spent. Absent: nothing yet. */
  spent?: Spent;
  /** The user holds it back. Absent: no. */
  paused?: true;
  /** Its place in the order, when the user has given it one: lower goes first. Absent: by priority and age. */
  rank?: number;
  /** The persona that is to look at its result, until that review is queued. Absent: none. */
  reviewer?: string;
  /** Its result can be accepted only when its review has ended. Absent: no. */
  reviewHolds?: true;
  /** The task that looks at its result. Absent: none. */
  review?: TaskId;
  /** Why it has the persona that it has, when nobody had named one. */
  routed?: string;
  /** What other agents have said to its agents and nobody has read. Absent: nothing. */
  inbox?: readonly AgentMessage[];
  /** What its agents have said last, and which tasks' agents have read it. */
  sent?: readonly { readonly id: string; readonly to: readonly TaskId[]; readonly readBy: readonly TaskId[] }[];
  /** Where its agents want to hear what is said. */
  topics?: readonly string[];
  /** What the user allowed its agents until it has ended. Absent: nothing. */
  allowed?: readonly ApprovalRule[];
  endedAtMs: number | null;
  /** It was over once since its source gave it, and that source was told: there is nothing left there that could be held. Absent: no. */
  told?: true;
  changedAtMs: number;
  /** Where else it was delivered. Absent: nowhere. */
  joined?: readonly JoinedOrigin[];
}

/** Another source that has the same task. `accepted`: it has given it to us; `false`: to somebody else; `null`: not asked yet. */
export interface JoinedOrigin {
  readonly origin: TaskOrigin;
  readonly accepted: boolean | null;
}

/** Something that one agent said to others. It is data, whoever wrote it. */
export interface AgentMessage {
  readonly id: string;
  readonly from: TaskId;
  readonly topic: string | null;
  readonly text: Digest;
}

export interface LandingState {
  /** `landed` and `failed` are ends; after `failed` nothing is changed. */
  readonly phase: 'merging' | 'moving' | 'landed' | 'failed';
  /** The copy in which it is done. */
  readonly runId: RunId;
  /** `refs/heads/…` */
  readonly ref: string;
  /** Where the branch was before, and where it is to be. */
  readonly from: ObjectId | null;
  readonly commit: ObjectId | null;
  /** Checks that were run on what came of the merge. */
  readonly checks: readonly CheckResult[];
  /** The code and words of what was in the way; empty when nothing was. */
  readonly code: string;
  readonly reason: string;
  /** Files in conflict. */
  readonly files: readonly string[];
  /** Only these files of the result; `null`: all. */
  readonly only: readonly string[] | null;
  /** What is in conflict, as long as that can be resolved by hand: also while its resolution is let out, or was not accepted. */
  readonly conflict: Conflict | null;
  /** What the task was before it landed. */
  readonly statusBefore: TaskStatus;
}

/** The result does not go with what its branch has become: only another run, on what is there now, can mend that. */
export function isOutdated({ status, landing }: TaskState): boolean {
  if (isEnded(status) && landing?.phase === 'failed') {
    return landing.code === 'landing-conflict' || landing.code === 'landing-check-failed';
  }
  return false;
}

/** Its result and its branch change the same places: also when what the user made of that was not accepted. */
export function isInConflict({ landing }: TaskState): boolean {
  return landing?.phase === 'failed' && (landing.code === 'landing-conflict' || landing.conflict !== null);
}

/** It is being let out just now, or waits for its turn. */
export function isLanding({ landing, landingWaits }: TaskState): boolean {
  return landingWaits === true || landing?.phase === 'merging' || landing?.phase === 'moving';
}

/** A tool call. Without an output it was begun and not finished. */
export interface ToolCallState {
  readonly name: string;
  readonly ok: boolean | null;
  readonly output: Digest | null;
  readonly images?: readonly KeptImage[];
}

export interface RunState {
  readonly id: RunId;
  readonly taskId: TaskId;
  attempt: number;
  readonly repo: string;
  readonly engine: string;
  readonly model: string;
  readonly persona: string;
  /** The blob with the persona as the run has it. */
  readonly role?: Digest | undefined;
  readonly startedAtMs: number;
  /** How often it went on after it had been interrupted. */
  resumptions: number;
  /** What it has used of its time, as far as it was kept. */
  usedMs: number;
  phase: 'preparing' | 'working' | 'checking' | 'publishing';
  /** What it is doing right now, for the tree. */
  activity: string;
  percent: number | null;
  baseCommit: ObjectId | null;
  baseTree: ObjectId | null;
  /** What the user is to know about the run's copy of the repository. */
  notes: readonly string[];
  sessionId: SessionId | null;
  /** Blobs of the conversation, in order. */
  messages: Digest[];
  /** Tool calls: by id, what became of them. Read them with `toolCallOf`: ids are the model's own words. */
  toolCalls: Record<string, ToolCallState>;
  /** What it last asked the user; an answer is a blob. Absent: nothing yet. */
  question?: { readonly callId: string; readonly text: string; readonly answer: Digest | null };
  /** How many messages it has sent. Absent: none. */
  sentMessages?: number;
  /** The tasks that it has split off, and what they may cost together, which is no longer its own. */
  subtasks?: readonly TaskId[];
  givenUsd?: number;
  /** What it last asked to be allowed. Absent: nothing yet. */
  approval?: ApprovalState;
  /** What the user had to say when it was last sent back. Absent: it was not. */
  feedback?: RunFeedback;
  /** How long it had ended before it went on. Absent: it did not. */
  restedMs?: number;
  /** The blob with what the agent says of its result. Absent: nothing. */
  claims?: Digest;
  usage: TokenUsage;
  /** What it spent, and what it may have spent unseen. Absent: nothing yet. */
  spent?: Spent;
  /** Absent: nothing was measured yet. */
  lastPrompt?: MeasuredPrompt;
  /** `null` as soon as one part of it is not known. */
  costUsd: number | null;
  checks: CheckResult[];
  /** Rounds of checks that are judged. */
  rounds: number;
  verdict: Verdict | null;
  resultTree: ObjectId | null;
  /** What the run can go back to, oldest first. */
  snapshots: readonly RunSnapshot[];
  /** Files were put back to `index`, and the agent has not been told yet; `savedAs` is what it knows. */
  untoldRestore: { readonly index: number; readonly savedAs: number } | null;
  branch: string | null;
  commit: ObjectId | null;
  filesChanged: number;
  outcome: TaskOutcome | null;
  reason: string;
  endedAtMs: number | null;
}

/** What a run goes on with that had ended. */
export interface RunFeedback {
  /** The blob with what the agent is told. */
  readonly text: Digest;
  /** How many messages the conversation had before: with more, it was told. */
  readonly at: number;
  /** Rounds of checks that were judged before. */
  readonly rounds: number;
  /** The commit that its files start from since; `null`: the same as before. */
  readonly onto: ObjectId | null;
}

export interface SessionState {
  readonly id: SessionId;
  readonly runId: RunId;
  readonly process: ProcessIdentity;
  readonly proof: JailProof;
  readonly createdAtMs: number;
  /** A user has the keyboard. */
  readonly takenOver: boolean;
  /** The limit that a command of it was last held to. */
  readonly limited?: string;
}

/** A workspace and a session that are prepared ahead, under the id that a later run takes. */
export interface WarmState {
  readonly runId: RunId;
  readonly repo: string;
  /** `null` while it is being prepared. */
  readonly sessionId: SessionId | null;
  readonly process: ProcessIdentity | null;
  readonly sinceMs: number;
}

export interface ReportState {
  readonly report: Report;
  readonly status: 'waiting' | 'sending' | 'dead';
  readonly attempts: number;
  readonly retryAtMs: number;
  readonly error: string;
  readonly queuedAtMs: number;
  /** Names of the artifacts that the source has already. Absent: none. */
  readonly attached?: readonly string[];
}

/** What was spent in one hour of the clock, counted from the epoch: `hour = floor(ms / 3,600,000)`. */
export interface HourlySpend {
  readonly costUsd: number;
  /** Requests whose price is not known: the cost is then a lower bound. */
  readonly unpriced: number;
  readonly usage: TokenUsage;
}

/**
 * What the tree, the status bar and the dispatcher read: a pure fold of events. Maps keep the order of arrival. Whoever
 * reads it must not change it.
 */
export interface LiveState {
  seq: number;
  /** The executor that last started, and whether it has ended in order. */
  executorId: string | null;
  queueMode: 'running' | 'paused';
  /** Why nothing new is started, by cause, in words for people; empty while nothing is in the way. */
  readonly holds: Map<string, string>;
  readonly tasks: Map<TaskId, TaskState>;
  readonly runs: Map<RunId, RunState>;
  /** Living ones only. */
  readonly sessions: Map<SessionId, SessionState>;
  /** Prepared ahead and in no run yet. */
  readonly warm: Map<RunId, WarmState>;
  /** Those that are over and not deleted, the last ones of them. */
  readonly pastSessions: Map<SessionId, PastSession>;
  /** What sources must still be told. */
  readonly reports: Map<ReportId, ReportState>;
  /**
   * `looked`: something was heard of it since the executor started. `message`: why it is not healthy, or, of a healthy one, why there
   * is nothing to take tasks from.
   */
  readonly sources: Map<string, { readonly healthy: boolean; readonly looked: boolean; readonly message: string }>;
  /** Sources that nothing more is taken from, because the user wants it so. */
  readonly pausedSources: Set<string>;
  /** By hour; only the last 72. */
  readonly spend: Map<number, HourlySpend>;
  readonly budget: BudgetState;
}

export function emptyState(): LiveState {
  return {
    seq: 0,
    executorId: null,
    queueMode: 'paused',
    holds: new Map(),
    tasks: new Map(),
    runs: new Map(),
    sessions: new Map(),
    warm: new Map(),
    pastSessions: new Map(),
    reports: new Map(),
    sources: new Map(),
    pausedSources: new Set(),
    spend: new Map(),
    budget: emptyBudget(),
  };
}

/** The newest run of a task, if it has had one. */
export function runOf({ runs }: LiveState, { runId }: TaskState): RunState | undefined {
  return runId === null ? undefined : runs.get(runId);
}

/** What became of a tool call; `undefined` when there was none of this id (`constructor` is no call either). */
export function toolCallOf(run: RunState, callId: string): ToolCallState | undefined {
  return Object.hasOwn(run.toolCalls, callId) ? run.toolCalls[callId] : undefined;
}

/** The task that an event is about, if it is about one. */
export function taskOf(state: LiveState, event: EventBody | AirlockEvent): TaskId | undefined {
  if ('taskId' in event) return event.taskId;
  if ('runId' in event) return state.runs.get(event.runId)?.taskId;
  if (event.kind === 'report.queued') return event.report.taskId;
  if ('sessionId' in event) {
    const session = state.sessions.get(event.sessionId) ?? state.pastSessions.get(event.sessionId);
    return session && state.runs.get(session.runId)?.taskId;
  }
  return undefined;
}
