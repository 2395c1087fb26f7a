import { assertNever } from '../base/errors';
import type { AirlockEvent } from './events';
import { foldExecutor } from './executorFold';
import { foldLanding } from './landingFold';
import type { LiveState } from './liveState';
import { foldReport } from './reportFold';
import { foldReview } from './reviewFold';
import { foldRun } from './runFold';
import { foldSession } from './sessionFold';
import { foldTask } from './taskFold';

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
    case 'session':
      return foldSession(state, event);
    case 'executor':
      return foldExecutor(state, event);
  }
}

function landTask(state: LiveState, event: AirlockEvent): void {
  const task = 'taskId' in event ? state.tasks.get(event.taskId) : undefined;
  if (!task) return;
  foldLanding(task, event);
  foldReview(task, event);
}

const runKinds = [
  'run.started',
  'run.prepared',
  'run.phase',
  'setup.started',
  'setup.finished',
  'run.progress',
  'run.resumed',
  'run.connected',
  'run.timed',
  'run.continued',
  'run.ended',
  'session.created',
  'message.recorded',
  'tool.called',
  'tool.finished',
  'question.asked',
  'question.answered',
  'run.claimed',
  'approval.asked',
  'approval.answered',
  'message.sent',
  'message.read',
  'topic.joined',
  'subtasks.created',
  'usage.recorded',
  'request.reserved',
  'request.settled',
  'request.retried',
  'check.finished',
  'evidence.recorded',
  'result.published',
  'snapshot.taken',
  'snapshot.restored',
  'snapshot.published',
  'snapshot.dropped',
  'workspace.removed',
] as const;

const runKindSet: ReadonlySet<string> = new Set(runKinds);

function isAboutRun(kind: AirlockEvent['kind']): kind is (typeof runKinds)[number] {
  return runKindSet.has(kind);
}

/** What a kind of event is about. The compiler says when a new kind has no place here. */
function subjectOf(kind: AirlockEvent['kind']): 'task' | 'run' | 'report' | 'session' | 'executor' {
  if (isAboutRun(kind)) return 'run';
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
    case 'task.joined':
    case 'task.joinAnswered':
    case 'task.handedOn':
    case 'task.routed':
    case 'task.lost':
    case 'task.ended':
    case 'task.unreviewed':
    case 'task.landed':
    case 'task.unlanded':
    case 'task.discarded':
    case 'landing.waiting':
    case 'landing.dropped':
    case 'landing.started':
    case 'landing.checked':
    case 'landing.moving':
    case 'landing.failed':
    case 'result.kept':
    case 'pullRequest.opened':
    case 'overlap.found':
    case 'comment.written':
    case 'comment.deleted':
      return 'task';
    case 'report.queued':
    case 'report.sending':
    case 'report.postponed':
    case 'report.attached':
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
    case 'source.added':
    case 'source.removed':
    case 'source.paused':
    case 'source.changed':
    case 'data.deleted':
      return 'executor';
    case 'session.closed':
    case 'session.archived':
    case 'session.deleted':
    case 'session.takenOver':
    case 'session.givenBack':
    case 'session.limited':
    case 'session.warming':
    case 'session.warmed':
    case 'session.discarded':
      return 'session';
    default:
      return assertNever(kind);
  }
}
