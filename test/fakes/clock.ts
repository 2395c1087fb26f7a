import type { Clock } from '../../src/base/clock';
import { type Disposable, toDisposable } from '../../src/base/disposable';

/** A clock that stands still until it is moved. Timers fire in order while it moves. */
export class FakeClock implements Clock {
  private wallMs: number;
  private monotonic = 0;
  private readonly timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  constructor(startMs = Date.UTC(2026, 0, 5, 12)) {
    this.wallMs = startMs;
  }

  nowMs(): number {
    return this.wallMs;
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  setTimer(delayMs: number, callback: () => void): Disposable {
    const timer = { atMs: this.monotonic + Math.max(0, delayMs), callback };
    this.timers.add(timer);
    return toDisposable(() => this.timers.delete(timer));
  }

  /** How many timers wait: none after everything was disposed of. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** Lets time pass, and lets promises settle after every timer that fires. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.monotonic + byMs;
    for (;;) {
      const [next] = [...this.timers].filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.wallMs += Math.max(0, next.atMs - this.monotonic);
      this.monotonic = Math.max(this.monotonic, next.atMs);
      this.timers.delete(next);
      next.callback();
      await settle();
    }
    this.wallMs += untilMs - this.monotonic;
    this.monotonic = untilMs;
    await settle();
  }

  /** The wall clock jumps, as after sleep or when somebody sets it; timers do not notice. */
  jump(byMs: number): void {
    this.wallMs += byMs;
  }
}

/** Lets everything that is ready to run in this process run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
