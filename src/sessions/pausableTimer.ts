import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';

/** Calls back when so much time has passed, not counting the time for which it was paused. */
export class PausableTimer implements Disposable {
  private timer: Disposable | undefined;
  private startedMs = 0;
  private done = false;

  constructor(
    private readonly clock: Clock,
    private leftMs: number,
    private readonly callback: () => void,
  ) {
    this.resume();
  }

  pause(): void {
    if (!this.timer) return;
    this.timer.dispose();
    this.timer = undefined;
    this.leftMs -= this.clock.monotonicMs() - this.startedMs;
  }

  resume(): void {
    if (this.timer || this.done) return;
    this.startedMs = this.clock.monotonicMs();
    this.timer = this.clock.setTimer(Math.max(0, this.leftMs), () => {
      this.dispose();
      this.callback();
    });
  }

  dispose(): void {
    this.done = true;
    this.timer?.dispose();
    this.timer = undefined;
  }
}
