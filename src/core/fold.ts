import { assertNever } from '../base/errors';
import { foldBudget, foldReserved, foldSettled, foldUsage, settleAll } from './budgetFold';
import type { AirlockEvent } from './events';
import type { SessionId } from './ids';
import { foldReport } from './reportFold';
import { foldLanding } from './landingFold';
import { type LiveState, type RunState, type TaskState, type ToolCallState, toolCallOf } from './liveState';
import { maxPastSessions } from './pastSession';
import { foldTalk } from './talkFold';
import { noUsage } from './usage';

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/**
 * Applies one event to the state, in place: the state after it depends on the events alone. An event that was applied
 * before (its `seq` is not new) changes nothing, so that replaying is idempotent. A fact about something that is not there
 * changes nothing either.
 */
export function applyEvent(state: LiveState, event: AirlockEvent): void {
  if (event.seq <= state.seq) return;
  state.seq = event.seq;
  switch (subjectOf(event.kind)) {
    case 'task':
      foldTask(state, event);
      return landTask(state, event);
    case 'run':
      return foldRun(state, event);
    case 'report':
      return foldReport(state, event);
    case 'rest':
      return foldRest(state, event);
  }
}

function landTask(state: LiveState, event: AirlockEvent): void {
  const task = 'taskId' in event ? state.tasks.get(event.taskId) : undefined;
  if (task) foldLanding(task, event);
}

function foldRest(state: LiveState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'executor.started':
      state.executorId = event.executorId;
      // Whatever lived in the process before is gone with it.
      state.sources.clear();
      state.holds.clear();
      settleAll(state);
      for (const id of event.sources) state.sources.set(id, { healthy: true, looked: false, message: '' });
      return;
    case 'executor.stopped':
      state.executorId = null;
      return;
    case 'queue.changed':
      state.queueMode = event.mode;
      return;
    case 'source.paused':
      if (event.paused) state.pausedSources.add(event.sourceId);
      else state.pausedSources.delete(event.sourceId);
      return;
    case 'queue.held':
      if (event.reason === null) state.holds.delete(event.cause);
      else state.holds.set(event.cause, event.reason);
      if (event.cause === 'budget') foldBudget(state, event);
      return;
    case 'budget.limited':
    case 'budget.alert':
      foldBudget(state, event);
      return;
    case 'source.changed':
      state.sources.set(event.sourceId, { healthy: event.healthy, looked: true, message: event.message });
      return;
    case 'session.closed':
      closeSession(state, event);
      return;
    case 'session.archived':
      archiveSession(state, event.sessionId);
      return;
    case 'session.deleted':
      state.pastSessions.delete(event.sessionId);
      return;
    case 'session.takenOver':
    case 'session.givenBack':
      setTakenOver(state, event.sessionId, event.kind === 'session.takenOver');
      return;
    default:
      return;
  }
}

function closeSession(state: LiveState, { sessionId, reason, breach, atMs }: EventOf<'session.closed'>): void {
  const session = state.sessions.get(sessionId);
  if (!session) return;
  state.sessions.delete(sessionId);
  const { id, runId, createdAtMs } = session;
  const taskId = state.runs.get(runId)?.taskId ?? null;
  state.pastSessions.set(id, { id, runId, taskId, status: 'closed', createdAtMs, closedAtMs: atMs, reason, breach });
  if (state.pastSessions.size <= maxPastSessions) return;
  const past = [...state.pastSessions.values()];
  const oldest = past.find(({ status }) => status === 'closed') ?? past[0];
  if (oldest) state.pastSessions.delete(oldest.id);
}

function archiveSession(state: LiveState, sessionId: SessionId): void {
  const past = state.pastSessions.get(sessionId);
  if (past) state.pastSessions.set(sessionId, { ...past, status: 'archived' });
}

function setTakenOver(state: LiveState, sessionId: SessionId, takenOver: boolean): void {
  const session = state.sessions.get(sessionId);
  if (session) state.sessions.set(sessionId, { ...session, takenOver });
}

function foldTask(state: LiveState, event: AirlockEvent): void {
  if (event.kind === 'task.queued') {
    state.tasks.set(event.taskId, newTask(event));
    return;
  }
  const task = 'taskId' in event ? state.tasks.get(event.taskId) : undefined;
  if (!task) return;
  task.changedAtMs = event.atMs;
  switch (event.kind) {
    case 'task.accepting':
      set(task, 'accepting');
      return;
    case 'task.accepted':
      task.accepted = true;
      set(task, 'queued');
      return;
    case 'task.blocked':
      hold(task, 'blocked', event.reason);
      return;
    case 'task.waiting':
      hold(task, 'waiting', event.reason);
      task.waitingOn = event.on;
      task.notBeforeMs = event.untilMs ?? 0;
      return;
    case 'task.paused':
      hold(task, 'waiting', 'The user paused it.');
      task.waitingOn = 'user';
      task.paused = true;
      return;
    case 'task.moved':
      task.rank = event.rank;
      return;
    case 'task.resumed':
      set(task, task.statusBeforeWait ?? 'queued');
      return;
    case 'task.requeued':
      set(task, 'queued', event.reason);
      task.notBeforeMs = event.notBeforeMs;
      if (event.failed === true) task.failures += 1;
      task.endedAtMs = null;
      return;
    case 'task.changed':
      // Another priority is another place.
      if (event.priority !== task.spec.priority) delete task.rank;
      task.spec = { ...task.spec, repo: event.repo, priority: event.priority as TaskState['spec']['priority'] };
      return;
    case 'task.linked':
      task.spec = { ...task.spec, dependsOn: event.dependsOn, dependsOnMissing: event.dependsOnMissing };
      return;
    case 'task.ended':
      set(task, event.outcome, event.reason);
      task.endedAtMs = event.atMs;
      task.failures = 0;
      return;
    case 'task.landed':
      set(task, 'landed');
      return;
    case 'task.unlanded':
      set(task, task.landing?.statusBefore ?? 'verified');
      return;
    case 'task.discarded':
      set(task, 'discarded');
      return;
    default:
      return;
  }
}

function newTask(event: EventOf<'task.queued'>): TaskState {
  return {
    id: event.taskId,
    spec: event.spec,
    status: 'queued',
    reason: '',
    statusBeforeWait: null,
    waitingOn: null,
    accepted: false,
    attempts: 0,
    failures: 0,
    runId: null,
    landing: null,
    queuedAtMs: event.atMs,
    arrival: event.seq,
    notBeforeMs: 0,
    endedAtMs: null,
    changedAtMs: event.atMs,
  };
}

function set(task: TaskState, status: TaskState['status'], reason = ''): void {
  task.status = status;
  task.reason = reason;
  task.statusBeforeWait = null;
  delete task.paused;
  task.waitingOn = null;
}

function hold(task: TaskState, status: 'blocked' | 'waiting', reason: string): void {
  // Waiting twice in a row still goes back to what it was before the first wait.
  task.statusBeforeWait ??= task.status;
  task.status = status;
  task.reason = reason;
  task.waitingOn = null;
}

function foldRun(state: LiveState, event: AirlockEvent): void {
  if (event.kind === 'run.started') {
    startRun(state, event);
    return;
  }
  const run = 'runId' in event && event.runId !== null ? state.runs.get(event.runId) : undefined;
  if (!run) return;
  const task = state.tasks.get(run.taskId);
  if (task) task.changedAtMs = event.atMs;
  switch (event.kind) {
    case 'run.prepared':
      run.baseCommit = event.baseCommit;
      run.baseTree = event.baseTree;
      run.notes = event.notes;
      return;
    case 'run.phase':
      run.phase = event.phase;
      run.activity = event.phase;
      return;
    case 'setup.started':
      run.activity = 'Preparing dependencies';
      return;
    case 'setup.finished':
      run.activity = run.phase;
      return;
    case 'run.progress':
      run.activity = event.message;
      run.percent = event.percent ?? run.percent;
      return;
    case 'run.resumed':
      run.resumptions += 1;
      if (task) set(task, 'running');
      return;
    case 'run.timed':
      run.usedMs = event.usedMs;
      return;
    case 'run.ended':
      run.outcome = event.outcome;
      run.reason = event.reason;
      run.endedAtMs = event.atMs;
      run.activity = '';
      // What only a resumption needs is let go, so that ended runs stay small.
      run.toolCalls = {};
      return;
    case 'session.created':
      run.sessionId = event.sessionId;
      state.sessions.set(event.sessionId, {
        id: event.sessionId,
        runId: event.runId,
        process: event.process,
        proof: event.proof,
        createdAtMs: event.atMs,
        takenOver: false,
      });
      return;
    default:
      foldWork(state, run, event);
  }
}

function foldWork(state: LiveState, run: RunState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'message.recorded':
      // Without gaps: a hole would not survive as JSON.
      if (event.index <= run.messages.length) run.messages[event.index] = event.blob;
      return;
    case 'tool.called':
      setToolCall(run, event.callId, { name: event.name, ok: null, output: null });
      run.activity = event.summary;
      return;
    case 'tool.finished':
      setToolCall(run, event.callId, {
        name: toolCallOf(run, event.callId)?.name ?? '',
        ok: event.ok,
        output: event.output,
      });
      // What there is to tell goes with the result of a tool.
      run.untoldRestore = null;
      return;
    case 'question.asked':
    case 'question.answered':
    case 'run.claimed':
      return foldTalk(run, event);
    case 'usage.recorded':
      foldUsage(state, run, event);
      return;
    case 'request.reserved':
      return foldReserved(state, run, event);
    case 'request.settled':
      return foldSettled(state, event);
    case 'request.retried':
      run.activity = event.reason;
      return;
    case 'check.finished':
      run.checks = [
        ...run.checks.filter((check) => check.command !== event.result.command || check.on !== event.result.on),
        event.result,
      ];
      return;
    case 'evidence.recorded':
      run.rounds = event.round + 1;
      run.verdict = event.verdict;
      run.resultTree = event.tree;
      run.snapshots = run.snapshots.map((snapshot) =>
        snapshot.tree === event.tree ? { ...snapshot, verdict: event.verdict } : snapshot,
      );
      return;
    case 'snapshot.taken':
    case 'snapshot.restored':
    case 'snapshot.published':
    case 'snapshot.dropped':
      return foldSnapshots(run, event);
    case 'workspace.removed':
      run.snapshots = [];
      return;
    case 'result.published':
      run.branch = event.branch;
      run.commit = event.commit;
      run.filesChanged = event.filesChanged;
      return;
    default:
      return;
  }
}

type SnapshotKind = 'snapshot.taken' | 'snapshot.restored' | 'snapshot.published' | 'snapshot.dropped';

function foldSnapshots(run: RunState, event: EventOf<SnapshotKind>): void {
  switch (event.kind) {
    case 'snapshot.taken': {
      const { index, cause, tree, commit, filesChanged, atMs } = event;
      const taken = { index, cause, tree, commit, filesChanged, takenAtMs: atMs, verdict: null, branch: null };
      run.snapshots = [...run.snapshots.filter((other) => other.index !== index), taken];
      return;
    }
    case 'snapshot.restored':
      run.untoldRestore = { index: event.index, savedAs: run.untoldRestore?.savedAs ?? event.savedAs };
      return;
    case 'snapshot.published':
      run.snapshots = run.snapshots.map((snapshot) =>
        snapshot.index === event.index ? { ...snapshot, branch: event.branch } : snapshot,
      );
      return;
    case 'snapshot.dropped':
      run.snapshots = run.snapshots.filter(({ index }) => !event.indices.includes(index));
      return;
  }
}

/** Call ids are the model's own words: `__proto__` is one like any other. */
function setToolCall(run: RunState, callId: string, call: ToolCallState): void {
  Object.defineProperty(run.toolCalls, callId, { value: call, enumerable: true, configurable: true, writable: true });
}

function startRun(state: LiveState, event: EventOf<'run.started'>): void {
  const task = state.tasks.get(event.taskId);
  if (!task) return;
  // The live state keeps a task's last run; the database keeps them all.
  if (task.runId) state.runs.delete(task.runId);
  set(task, 'running');
  task.runId = event.runId;
  task.attempts = event.attempt;
  task.changedAtMs = event.atMs;
  state.runs.set(event.runId, {
    id: event.runId,
    taskId: event.taskId,
    attempt: event.attempt,
    repo: event.repo,
    engine: event.engine,
    model: event.model,
    persona: event.persona,
    ...(event.role === undefined ? {} : { role: event.role }),
    startedAtMs: event.atMs,
    resumptions: 0,
    usedMs: 0,
    phase: 'preparing',
    activity: 'preparing',
    percent: null,
    baseCommit: null,
    baseTree: null,
    notes: [],
    sessionId: null,
    messages: [],
    toolCalls: {},
    usage: noUsage,
    costUsd: 0,
    checks: [],
    rounds: 0,
    verdict: null,
    resultTree: null,
    snapshots: [],
    untoldRestore: null,
    branch: null,
    commit: null,
    filesChanged: 0,
    outcome: null,
    reason: '',
    endedAtMs: null,
  });
}

/** What a kind of event is about. The compiler says when a new kind has no place here. */
function subjectOf(kind: AirlockEvent['kind']): 'task' | 'run' | 'report' | 'rest' {
  switch (kind) {
    case 'task.queued':
    case 'task.accepting':
    case 'task.accepted':
    case 'task.blocked':
    case 'task.waiting':
    case 'task.paused':
    case 'task.moved':
    case 'task.resumed':
    case 'task.requeued':
    case 'task.changed':
    case 'task.linked':
    case 'task.ended':
    case 'task.landed':
    case 'task.unlanded':
    case 'task.discarded':
    case 'landing.started':
    case 'landing.checked':
    case 'landing.moving':
    case 'landing.failed':
      return 'task';
    case 'report.queued':
    case 'report.sending':
    case 'report.postponed':
    case 'report.acknowledged':
    case 'report.revived':
    case 'report.dead':
      return 'report';
    case 'executor.started':
    case 'executor.stopped':
    case 'queue.changed':
    case 'queue.held':
    case 'budget.limited':
    case 'budget.alert':
    case 'source.paused':
    case 'source.changed':
    case 'session.closed':
    case 'session.archived':
    case 'session.deleted':
    case 'session.takenOver':
    case 'session.givenBack':
      return 'rest';
    case 'run.started':
    case 'run.prepared':
    case 'run.phase':
    case 'setup.started':
    case 'setup.finished':
    case 'run.progress':
    case 'run.resumed':
    case 'run.connected':
    case 'run.timed':
    case 'run.ended':
    case 'session.created':
    case 'message.recorded':
    case 'tool.called':
    case 'tool.finished':
    case 'question.asked':
    case 'question.answered':
    case 'run.claimed':
    case 'usage.recorded':
    case 'request.reserved':
    case 'request.settled':
    case 'request.retried':
    case 'check.finished':
    case 'evidence.recorded':
    case 'result.published':
    case 'snapshot.taken':
    case 'snapshot.restored':
    case 'snapshot.published':
    case 'snapshot.dropped':
    case 'workspace.removed':
      return 'run';
    default:
      return assertNever(kind);
  }
}
