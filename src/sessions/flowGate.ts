import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';

/** Something that produces, and can be held back. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/** How much may come in one go, and how long it rests after that. */
export interface FlowRate {
  readonly bytes: number;
  readonly restMs: number;
}

/**
 * Holds pipes back, so that whoever writes into them has to wait and nothing piles up here: for as long as anybody has a
 * reason to, and after more has come than anybody asked for.
 */
export class FlowGate implements Disposable {
  private readonly reasons = new Set<string>();
  private countedBytes = 0;
  private timer: Disposable | undefined;

  constructor(
    private readonly producers: readonly Pausable[],
    private readonly clock: Clock,
    private readonly rate: FlowRate,
  ) {}

  hold(reason: string): void {
    this.reasons.add(reason);
    for (const producer of this.producers) producer.pause();
  }

  release(reason: string): void {
    if (!this.reasons.delete(reason) || this.reasons.size > 0) return;
    for (const producer of this.producers) producer.resume();
  }

  /** Bytes that nobody waits for came in. */
  count(bytes: number): void {
    this.countedBytes += bytes;
    if (this.countedBytes < this.rate.bytes || this.timer) return;
    this.hold('rate');
    this.timer = this.clock.setTimer(this.rate.restMs, () => this.forget());
  }

  /** What came so far does not count any more: somebody waits for what comes now. */
  forget(): void {
    this.timer?.dispose();
    this.timer = undefined;
    this.countedBytes = 0;
    this.release('rate');
  }

  dispose(): void {
    this.timer?.dispose();
  }
}
