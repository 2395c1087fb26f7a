import type { AirlockEvent } from '../core/events';
import { passed } from '../core/evidence';
import { taskOf, type LiveState } from '../core/liveState';
import { oneLine } from './words';

/** One line for an event that people want to see while the queue is worked off; `undefined` for the others. */
export function progressLine(state: LiveState, event: AirlockEvent): string | undefined {
  const text = progressText(state, event);
  if (text === undefined) return undefined;
  const taskId = taskOf(state, event);
  const time = new Date(event.atMs).toTimeString().slice(0, 8);
  return taskId === undefined ? `${time}  ${text}` : `${time}  ${oneLine(taskId, 24).padEnd(24)}  ${text}`;
}

/** The same without its time and task. */
export function progressText(state: LiveState, event: AirlockEvent): string | undefined {
  switch (event.kind) {
    case 'queue.changed':
      return `the queue is ${event.mode}`;
    case 'queue.held':
      return event.reason === null ? 'the queue goes on' : `nothing new is started: ${oneLine(event.reason, 400)}`;
    case 'budget.alert':
      return oneLine(event.message, 300);
    case 'source.changed':
      return event.healthy
        ? `${event.sourceId} answers`
        : `${event.sourceId} is not reachable: ${oneLine(event.message, 200)}`;
    case 'task.queued':
      return `queued: ${oneLine(event.spec.title)}`;
    case 'task.waiting':
      return `waits for the ${event.on}: ${oneLine(event.reason, 300)}`;
    case 'task.paused':
      return 'paused';
    case 'source.added':
      return `${event.sourceId} is followed for who lends it`;
    case 'source.removed':
      return `${event.sourceId} is not followed any more`;
    case 'source.paused':
      return `${event.sourceId} is ${event.paused ? 'paused: nothing more is taken from it' : 'asked again'}`;
    case 'task.blocked':
      return `blocked: ${oneLine(event.reason, 300)}`;
    case 'task.requeued':
      return event.reason === '' ? 'queued again' : `queued again: ${oneLine(event.reason, 300)}`;
    case 'task.ended':
      return `${event.outcome.toUpperCase()}${event.reason === '' ? '' : `: ${oneLine(event.reason, 300)}`}`;
    case 'run.started':
      return `attempt ${event.attempt}, ${event.engine} (${event.model})`;
    case 'run.prepared':
      return event.notes.length === 0 ? undefined : oneLine(event.notes.join(' '), 300);
    case 'setup.started':
      return `prepares dependencies: ${oneLine(event.commands.join('; '), 200)}`;
    case 'setup.finished':
      return event.problem === null
        ? `dependencies prepared in ${(event.durationMs / 1000).toFixed(1)} s`
        : `dependencies could not be prepared: ${oneLine(event.problem, 200)}`;
    case 'run.resumed':
      return 'goes on where it was';
    case 'run.progress':
      return `${event.percent === null ? '' : `${event.percent} % `}${oneLine(event.message)}`;
    case 'run.connected':
      return event.outcome === 'allowed'
        ? `network: connected to ${oneLine(event.host, 100)}:${event.port}`
        : `network: ${event.outcome}: ${oneLine(event.host, 100)}:${event.port}: ${oneLine(event.reason, 200)}`;
    case 'session.created': {
      const held = event.proof.canaries.filter((canary) => canary.held).length;
      return `jail proven: ${held} of ${event.proof.canaries.length} attempts to get out were contained${event.warm ? ' (prepared ahead)' : ''}`;
    }
    case 'tool.called':
      return oneLine(`${event.name}: ${event.summary}`);
    case 'request.retried':
      return `asks the model again in ${Math.round(event.delayMs / 1000)} s: ${oneLine(event.reason)}`;
    case 'check.finished': {
      const { result } = event;
      return `check ${passed(result) ? 'passed' : 'failed'} on the ${subjects[result.on]}: ${oneLine(result.command, 70)}`;
    }
    case 'result.published':
      return `result: ${event.branch} (${event.filesChanged} files, +${event.insertions} −${event.deletions})`;
    case 'report.postponed':
      return `the report waits: ${oneLine(event.error)}`;
    case 'report.acknowledged':
      return 'reported to its source';
    case 'report.dead':
      return `its source does not take the report: ${oneLine(event.error)}`;
    default:
      return undefined;
  }
}

const subjects = {
  base: 'base',
  result: 'result',
  restored: 'result with the tests and configuration of the base',
} as const;
