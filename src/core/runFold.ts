import type { AirlockEvent } from './events';
import type { LiveState } from './liveState';
import { callsOfLastMessage, continueRun } from './reviewFold';
import { setStatus } from './taskFold';
import { noUsage } from './usage';
import { foldWork } from './workFold';

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/** Applies an event about a run, or about what is done in it. */
export function foldRun(state: LiveState, event: AirlockEvent): void {
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
      if (task) setStatus(task, 'running');
      return;
    case 'run.timed':
      run.usedMs = event.usedMs;
      return;
    case 'run.continued':
      return continueRun(state, run, event);
    case 'run.ended':
      run.outcome = event.outcome;
      run.reason = event.reason;
      run.endedAtMs = event.atMs;
      run.activity = '';
      // What only a resumption needs is let go, so that ended runs stay small.
      run.toolCalls = callsOfLastMessage(run);
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

function startRun(state: LiveState, event: EventOf<'run.started'>): void {
  const task = state.tasks.get(event.taskId);
  if (!task) return;
  // The live state keeps a task's last run; the database keeps them all.
  if (task.runId) state.runs.delete(task.runId);
  // What was prepared ahead under this id is the run's from here on.
  state.warm.delete(event.runId);
  setStatus(task, 'running');
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
