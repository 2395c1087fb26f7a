import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';

/**
 * Gathers what comes in quick succession and hands it over together: at once after a quiet time, and then at most once in
 * `intervalMs`. Nothing runs while nothing comes.
 */
export class Coalescer implements Disposable {
  private timer: Disposable | undefined;
  private pending = false;
  private disposed = false;

  constructor(
    private readonly clock: Clock,
    private readonly intervalMs: number,
    private readonly flush: () => void,
  ) {}

  trigger(): void {
    if (this.disposed) return;
    if (this.timer) {
      this.pending = true;
      return;
    }
    this.run();
  }

  dispose(): void {
    this.disposed = true;
    this.timer?.dispose();
    this.timer = undefined;
  }

  private run(): void {
    this.pending = false;
    // Before the flush: one that throws must not stop the next.
    this.timer = this.clock.setTimer(this.intervalMs, () => {
      this.timer = undefined;
      if (this.pending) this.run();
    });
    this.flush();
  }
}
