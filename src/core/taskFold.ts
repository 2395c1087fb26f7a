import type { AirlockEvent } from './events';
import { foldJoined } from './joinedFold';
import type { LiveState, TaskState } from './liveState';

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/** Applies an event about a task. */
export function foldTask(state: LiveState, event: AirlockEvent): void {
  if (event.kind === 'task.queued') return foldQueued(state, event);
  const task = 'taskId' in event ? state.tasks.get(event.taskId) : undefined;
  if (!task) return;
  task.changedAtMs = event.atMs;
  switch (event.kind) {
    case 'task.accepting':
      setStatus(task, 'accepting');
      return;
    case 'task.accepted':
      delete task.told;
      task.accepted = true;
      setStatus(task, 'queued');
      return;
    case 'task.blocked':
      hold(task, 'blocked', event.reason);
      return;
    case 'task.waiting':
      hold(task, 'waiting', event.reason);
      task.waitingOn = event.on;
      if (event.mcpServer !== undefined) task.mcpServer = event.mcpServer;
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
      setStatus(task, task.statusBeforeWait ?? 'queued');
      return;
    case 'task.requeued':
      setStatus(task, 'queued', event.reason);
      task.notBeforeMs = event.notBeforeMs;
      if (event.failed === true) task.failures += 1;
      task.endedAtMs = null;
      return;
    case 'task.changed':
      // Another priority is another place.
      if (event.priority !== task.spec.priority) delete task.rank;
      task.spec = { ...task.spec, repo: event.repo, priority: event.priority as TaskState['spec']['priority'] };
      return;
    case 'task.routed':
      task.spec = { ...task.spec, persona: event.persona };
      task.routed = event.reason;
      return;
    case 'task.linked':
      task.spec = { ...task.spec, dependsOn: event.dependsOn, dependsOnMissing: event.dependsOnMissing };
      return;
    case 'task.joined':
    case 'task.joinAnswered':
    case 'task.handedOn':
    case 'task.lost':
      foldJoined(task, event);
      return;
    case 'task.unreviewed':
      delete task.reviewer;
      return;
    case 'task.ended':
      endTask(task, event);
      return;
    case 'task.landed':
      setStatus(task, 'landed');
      return;
    case 'task.unlanded':
      setStatus(task, task.landing?.statusBefore ?? 'verified');
      return;
    case 'task.discarded':
      setStatus(task, 'discarded');
      return;
    default:
      return;
  }
}

function foldQueued(state: LiveState, event: EventOf<'task.queued'>): void {
  state.tasks.set(event.taskId, newTask(event));
  const { parent } = event.spec;
  const reviewed = parent?.kind === 'review' ? state.tasks.get(parent.taskId) : undefined;
  if (!reviewed) return;
  reviewed.review = event.taskId;
  delete reviewed.reviewer;
}

function endTask(task: TaskState, event: EventOf<'task.ended'>): void {
  task.told = true;
  setStatus(task, event.outcome, event.reason);
  task.endedAtMs = event.atMs;
  task.failures = 0;
  if (event.reviewer === undefined) delete task.reviewer;
  else task.reviewer = event.reviewer;
  if (event.reviewHolds) task.reviewHolds = true;
  else delete task.reviewHolds;
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

/** It is `status` now, and waits for nothing. */
export function setStatus(task: TaskState, status: TaskState['status'], reason = ''): void {
  task.status = status;
  task.reason = reason;
  task.statusBeforeWait = null;
  delete task.paused;
  delete task.mcpServer;
  task.waitingOn = null;
}

function hold(task: TaskState, status: 'blocked' | 'waiting', reason: string): void {
  // Waiting twice in a row still goes back to what it was before the first wait.
  task.statusBeforeWait ??= task.status;
  task.status = status;
  task.reason = reason;
  delete task.mcpServer;
  task.waitingOn = null;
}
