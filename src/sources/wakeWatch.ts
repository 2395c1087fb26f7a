import type { Clock } from '../base/clock';
import { type Disposable } from '../base/disposable';
import { Emitter } from '../base/emitter';

const everyMs = 10_000;
/** A timer that is later than this was not just waited for in a busy process. */
const gapMs = 15_000;

/**
 * Tells when the machine was asleep, or this process stood still: the wall clock has gone on by much more than a timer's time.
 * The monotonic clock and every timer stand still while Linux sleeps, so that nothing else would notice.
 */
export class WakeWatch implements Disposable {
  private readonly woken = new Emitter<void>();
  private timer: Disposable | undefined;

  constructor(private readonly clock: Clock) {
    this.wait();
  }

  readonly onDidWake = this.woken.event;

  dispose(): void {
    this.timer?.dispose();
    this.woken.dispose();
  }

  private wait(): void {
    const sinceMs = this.clock.nowMs();
    const sinceMonotonicMs = this.clock.monotonicMs();
    this.timer = this.clock.setTimer(everyMs, () => {
      const passedMs = Math.max(this.clock.nowMs() - sinceMs, this.clock.monotonicMs() - sinceMonotonicMs);
      this.wait();
      if (passedMs > everyMs + gapMs) this.woken.fire();
    });
  }
}
