import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { TaskId } from '../core/ids';
import { runOf, type TaskState } from '../core/liveState';
import { isEnded, type TaskOrigin } from '../core/task';
import { userSourceId } from './intake';
import { lostReason } from './interruption';
import type { ExecutorPorts } from './ports';

const everyMs = 60_000;

/**
 * Tells the sources that the tasks which they gave us are alive, once a minute and when the executor starts: then they are taken
 * on from the process before. What a source has given to somebody else meanwhile is ended here, and that source is told nothing
 * more of it; when another source still has it, the work goes on for that one.
 */
export class Leases implements Disposable {
  private timer: Disposable | undefined;
  private looking: Promise<void> | undefined;
  private ended = false;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'sources' | 'clock' | 'logger'>,
    /** Ends the work on a task that is not ours any more. */
    private readonly end: (taskId: TaskId, reason: string) => Promise<void>,
  ) {}

  start(): void {
    this.looking = this.look().finally(() => {
      this.looking = undefined;
      if (!this.ended) this.timer = this.ports.clock.setTimer(everyMs, () => this.start());
    });
  }

  dispose(): void {
    this.ended = true;
    this.timer?.dispose();
  }

  /** Resolves when no source is being told. Call `dispose` first. */
  async drain(): Promise<void> {
    await this.looking;
  }

  private async look(): Promise<void> {
    for (const task of [...this.ports.events.state.tasks.values()]) {
      // What was told as over and goes on for the user is no task of its source any more.
      if (isEnded(task.status) || task.told) continue;
      for (const origin of heldOrigins(task)) await this.hold(task, origin);
    }
  }

  private async hold(task: TaskState, origin: TaskOrigin): Promise<void> {
    const { events, sources, logger } = this.ports;
    const source = sources.find(({ id }) => id === origin.sourceId);
    if (this.ended || isEnded(task.status)) return;
    try {
      const answer = await source?.hold?.(origin.externalId, runOf(events.state, task)?.percent ?? null);
      // It may have ended, and been reported, while its source was asked.
      if (answer?.kind === 'lost' && !isEnded(task.status)) await this.lose(task, origin, answer.reason);
    } catch (error) {
      logger.debug('A source could not be told that a task is alive', { taskId: task.id, reason: messageOf(error) });
    }
  }

  private async lose(task: TaskState, origin: TaskOrigin, reason: string): Promise<void> {
    this.ports.logger.warn('A source gave a task to somebody else', { taskId: task.id, reason });
    const isFirst = task.spec.origin === origin;
    const goesOn = !isFirst || task.joined?.some(({ accepted }) => accepted !== false) === true;
    await this.ports.events.append([
      { kind: 'task.lost', taskId: task.id, origin, reason: reason.slice(0, 1000) },
      ...(isFirst && goesOn ? [{ kind: 'task.handedOn', taskId: task.id } as const] : []),
    ]);
    if (!goesOn) await this.end(task.id, lostReason);
  }
}

/** Where a task was given to us. */
function heldOrigins({ spec, accepted, joined = [] }: TaskState): TaskOrigin[] {
  const first = accepted && spec.origin.sourceId !== userSourceId ? [spec.origin] : [];
  return [...first, ...joined.filter((one) => one.accepted === true).map((one) => one.origin)];
}
