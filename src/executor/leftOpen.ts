/** What came to its end while nothing could be kept, and is said once it can be. */
import type { EventBody } from '../core/events';
import type { SessionId, TaskId } from '../core/ids';
import type { LiveState } from '../core/liveState';

export const heldReason = 'The storage took nothing more. It goes on where it was when it does again.';

/** What really goes on in this process. */
export interface Living {
  readonly isLiving: (sessionId: SessionId) => boolean;
  readonly isWorking: (taskId: TaskId) => boolean;
}

/**
 * Sessions are over whose end is not in the state, and runs were interrupted whose tasks are still running there. A task that
 * is being worked on says all of that itself.
 */
export function endsUnsaid({ sessions, runs, tasks }: LiveState, { isLiving, isWorking }: Living): EventBody[] {
  const over = [...sessions.values()].filter(({ id, runId }) => {
    const taskId = runs.get(runId)?.taskId;
    return !isLiving(id) && (taskId === undefined || !isWorking(taskId));
  });
  const left = [...tasks.values()].filter(({ id, status }) => status === 'running' && !isWorking(id));
  return [
    ...over.map(({ id: sessionId }): EventBody => ({
      kind: 'session.closed',
      sessionId,
      reason: 'It ended while the storage could not be written to.',
      breach: null,
    })),
    ...left.map(({ id }): EventBody => ({ kind: 'task.requeued', taskId: id, reason: heldReason, notBeforeMs: 0 })),
  ];
}
