import { fullJitterMs } from '../base/backoff';
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';

/** After failures it looks again soon at first and then ever more seldom, but still often enough to notice a recovery. */
const backoff = { firstMs: 2_000, maxMs: 300_000 };
const minDelayMs = 100;

/** What one look came to. */
export type LookResult =
  | { readonly kind: 'looked' }
  /** `notBeforeMs`: the source asked to be left alone for so long; `null` when it did not. */
  | { readonly kind: 'failed'; readonly notBeforeMs: number | null };

export interface PollerOptions {
  /** Never rejects. */
  readonly look: () => Promise<LookResult>;
  /** How long until the next look; a function is asked after each one that went well. */
  readonly intervalMs: number | (() => number);
  readonly clock: Clock;
  readonly random?: () => number;
}

/**
 * Looks again and again: every interval, sooner when asked to, seldom while it fails. There is one look at a time and one
 * timer at a time; a wish during a look is granted after it.
 */
export class Poller implements Disposable {
  private timer: { readonly atMs: number; readonly handle: Disposable } | undefined;
  private looking = false;
  private wantedMs: number | undefined;
  private failures = 0;
  private heldUntilMs = 0;
  private disposed = false;

  constructor(private readonly options: PollerOptions) {}

  /** Looks at once, whatever the source asked for: a person wants to know. */
  now(): void {
    this.heldUntilMs = 0;
    this.wish(0);
  }

  /** Looks within `delayMs`, if it would not have anyway and the source did not ask for more. */
  within(delayMs: number): void {
    if (this.failures === 0) this.wish(delayMs);
  }

  /** The machine was asleep: what went wrong before says nothing any more. What the source asked for still counts. */
  wake(): void {
    this.failures = 0;
    this.wish(0);
  }

  dispose(): void {
    this.disposed = true;
    this.timer?.handle.dispose();
    this.timer = undefined;
  }

  private wish(delayMs: number): void {
    if (this.looking) this.wantedMs = Math.min(this.wantedMs ?? delayMs, delayMs);
    else this.schedule(delayMs);
  }

  /** Moves the timer forward, never back. */
  private schedule(delayMs: number): void {
    if (this.disposed) return;
    const nowMs = this.options.clock.monotonicMs();
    const atMs = Math.max(nowMs + delayMs, this.heldUntilMs);
    if (this.timer && this.timer.atMs <= atMs) return;
    this.timer?.handle.dispose();
    this.timer = { atMs, handle: this.options.clock.setTimer(atMs - nowMs, () => void this.look()) };
  }

  private async look(): Promise<void> {
    this.timer = undefined;
    this.looking = true;
    const result = await this.options.look();
    this.looking = false;
    const wantedMs = this.wantedMs;
    this.wantedMs = undefined;
    this.schedule(this.delayAfter(result));
    if (wantedMs !== undefined && (result.kind === 'looked' || wantedMs === 0)) this.schedule(wantedMs);
  }

  private delayAfter(result: LookResult): number {
    const { intervalMs, random, clock } = this.options;
    if (result.kind === 'looked') {
      this.failures = 0;
      return typeof intervalMs === 'number' ? intervalMs : intervalMs();
    }
    this.failures += 1;
    this.heldUntilMs = clock.monotonicMs() + (result.notBeforeMs ?? 0);
    return Math.max(minDelayMs, fullJitterMs(this.failures, backoff, random));
  }
}
