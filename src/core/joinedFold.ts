import { assertNever } from '../base/errors';
import type { AirlockEvent } from './events';
import type { JoinedOrigin, TaskState } from './liveState';
import type { TaskOrigin } from './task';

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/** Applies an event about the other sources of a task. */
export function foldJoined(
  task: TaskState,
  event: EventOf<'task.joined' | 'task.joinAnswered' | 'task.handedOn' | 'task.lost'>,
): void {
  const joined = task.joined ?? [];
  switch (event.kind) {
    case 'task.joined':
      task.joined = [...without(joined, event.origin), { origin: event.origin, accepted: null }];
      return;
    case 'task.joinAnswered':
      task.joined = answered(joined, event.origin, event.accepted);
      return;
    case 'task.lost':
      if (isSameOrigin(task.spec.origin, event.origin)) task.accepted = false;
      else task.joined = answered(joined, event.origin, false);
      return;
    case 'task.handedOn': {
      const next = joined.find(({ accepted }) => accepted !== false);
      if (!next) return;
      task.spec = { ...task.spec, origin: next.origin };
      task.accepted = next.accepted === true;
      task.joined = without(joined, next.origin);
      if (task.status === 'accepting') task.status = 'queued';
      return;
    }
    default:
      return assertNever(event);
  }
}

function answered(joined: readonly JoinedOrigin[], origin: TaskOrigin, accepted: boolean): JoinedOrigin[] {
  return joined.map((one) => (isSameOrigin(one.origin, origin) ? { ...one, accepted } : one));
}

function without(joined: readonly JoinedOrigin[], origin: TaskOrigin): JoinedOrigin[] {
  return joined.filter((one) => !isSameOrigin(one.origin, origin));
}

export function isSameOrigin(one: TaskOrigin, other: TaskOrigin): boolean {
  return one.sourceId === other.sourceId && one.externalId === other.externalId;
}
