import type { Clock } from '../base/clock';
import type { AirlockEvent } from '../core/events';
import type { TaskId } from '../core/ids';
import type { TaskState } from '../core/liveState';

/**
 * When tasks may be tried again. The journal has it in wall time; what this process saw is counted by the clock that never goes
 * back too, so that a wall clock which is set back by an hour lets nobody wait for an hour.
 */
export class RetryTimes {
  private readonly dueAtMs = new Map<TaskId, number>();

  constructor(private readonly clock: Clock) {}

  follow(event: AirlockEvent): void {
    if (event.kind === 'task.requeued' && event.notBeforeMs > 0)
      this.dueAtMs.set(event.taskId, this.clock.monotonicMs() + event.notBeforeMs - this.clock.nowMs());
    else if (event.kind === 'task.requeued' || event.kind === 'task.ended') this.dueAtMs.delete(event.taskId);
  }

  /** How long a task waits yet; 0 or less when it does not. */
  leftMs({ id, notBeforeMs }: TaskState): number {
    const byWall = notBeforeMs - this.clock.nowMs();
    const dueAtMs = this.dueAtMs.get(id);
    return dueAtMs === undefined ? byWall : Math.min(byWall, dueAtMs - this.clock.monotonicMs());
  }
}
