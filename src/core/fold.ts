import { assertNever } from '../base/errors';
import type { AirlockEvent } from './events';
import { foldExecutor } from './executorFold';
import { foldLanding } from './landingFold';
import type { LiveState } from './liveState';
import { foldReport } from './reportFold';
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
  if (task) foldLanding(task, event);
}

/** What a kind of event is about. The compiler says when a new kind has no place here. */
function subjectOf(kind: AirlockEvent['kind']): 'task' | 'run' | 'report' | 'session' | 'executor' {
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
      return 'executor';
    case 'session.closed':
    case 'session.archived':
    case 'session.deleted':
    case 'session.takenOver':
    case 'session.givenBack':
      return 'session';
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
