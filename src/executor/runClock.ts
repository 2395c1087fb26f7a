import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { AirlockEvent } from '../core/events';
import type { RunId } from '../core/ids';
import type { ExecutorPorts } from './ports';

/** How often the time that was used is kept: so much of it is given again after a crash. */
const keepEveryMs = 60_000;

/** What a run's time does not run in: the user types, a lane is held, the executor's own checks are at work. */
type Pause = 'user' | 'waiting' | 'checks';

/**
 * The time that a run has used of what it may take. It is kept with the run, so that a restart does not begin it anew, and it
 * stands still while the run waits for somebody else.
 */
export class RunClock {
  private readonly pauses = new Set<Pause>();
  private readonly following: Disposable;
  private timer: Disposable | undefined;
  /** In monotonic time; `undefined` while it stands still. */
  private runsSinceMs: number | undefined;
  private usedMs: number;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'clock' | 'logger'>,
    private readonly runId: RunId,
    private readonly limitMs: number,
    private readonly whenOver: () => void,
  ) {
    const run = this.run();
    this.usedMs = run?.usedMs ?? 0;
    if (run?.phase === 'checking') this.pauses.add('checks');
    this.following = ports.events.onDidAppend((events) => {
      for (const event of events) this.follow(event);
    });
    if (this.pauses.size === 0) this.go();
  }

  /** Stops it for good and keeps what was used, unless the run has ended. Never rejects. */
  async stop(): Promise<void> {
    this.following.dispose();
    this.halt();
    await this.keep();
  }

  private follow(event: AirlockEvent): void {
    switch (event.kind) {
      case 'run.phase':
        if (event.runId === this.runId) this.set('checks', event.phase === 'checking');
        return;
      case 'task.waiting':
      case 'task.resumed':
        if (this.run()?.taskId === event.taskId) this.set('waiting', event.kind === 'task.waiting');
        return;
      case 'session.takenOver':
        if (event.sessionId === this.run()?.sessionId) this.set('user', true);
        return;
      case 'session.givenBack':
      case 'session.closed':
        if (event.sessionId === this.run()?.sessionId) this.set('user', false);
        return;
      default:
        return;
    }
  }

  private set(pause: Pause, isPaused: boolean): void {
    if (isPaused === this.pauses.has(pause)) return;
    if (isPaused) this.pauses.add(pause);
    else this.pauses.delete(pause);
    if (this.pauses.size === 0) this.go();
    else if (this.runsSinceMs !== undefined) {
      this.halt();
      void this.keep();
    }
  }

  private go(): void {
    this.runsSinceMs = this.ports.clock.monotonicMs();
    const leftMs = this.limitMs - this.usedMs;
    this.timer = this.ports.clock.setTimer(Math.min(leftMs, keepEveryMs), () => {
      this.halt();
      if (this.usedMs >= this.limitMs) return this.whenOver();
      void this.keep();
      this.go();
    });
  }

  private halt(): void {
    this.timer?.dispose();
    if (this.runsSinceMs !== undefined) this.usedMs += this.ports.clock.monotonicMs() - this.runsSinceMs;
    this.runsSinceMs = undefined;
  }

  private async keep(): Promise<void> {
    const run = this.run();
    const usedMs = Math.round(this.usedMs);
    if (run?.outcome !== null || run.usedMs === usedMs) return;
    try {
      await this.ports.events.append([{ kind: 'run.timed', runId: this.runId, usedMs }]);
    } catch (error) {
      this.ports.logger.warn('The time of a run could not be kept', { runId: this.runId, reason: messageOf(error) });
    }
  }

  private run(): ReturnType<ExecutorPorts['events']['state']['runs']['get']> {
    return this.ports.events.state.runs.get(this.runId);
  }
}
