import { sleep, type Clock } from '../base/clock';

/** The longest that a lane is held on a server's word. A server that asks for more is asked again after this. */
const maxHoldMs = 5 * 60_000;

/** Holds requests while a lane (one key at one server, one model) is to be left alone. Shared by all runs. */
export class LaneGovernor {
  private readonly heldUntil = new Map<string, { readonly untilMs: number; readonly reason: string }>();

  constructor(private readonly clock: Clock) {}

  hold(lane: string, untilMs: number, reason: string): void {
    const now = this.clock.monotonicMs();
    const forMs = Math.min(Math.max(0, untilMs - this.clock.nowMs()), maxHoldMs);
    const known = this.heldUntil.get(lane);
    // Kept in monotonic time, so that a jump of the wall clock neither frees nor freezes a lane.
    if (!known || known.untilMs < now + forMs) this.heldUntil.set(lane, { untilMs: now + forMs, reason });
  }

  /** Why the lane is held, for longer than `forMs`, or `undefined`. */
  heldBecause(lane: string, forMs = 0): string | undefined {
    const held = this.heldUntil.get(lane);
    return held && held.untilMs > this.clock.monotonicMs() + forMs ? held.reason : undefined;
  }

  /** Whatever held them has changed: all lanes are tried at once. */
  releaseAll(): void {
    this.heldUntil.clear();
  }

  /** Resolves when the lane is free. @throws {CancelledError} when `signal` is aborted. */
  async waitUntilFree(lane: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const held = this.heldUntil.get(lane);
      const leftMs = held ? held.untilMs - this.clock.monotonicMs() : 0;
      if (leftMs <= 0) {
        this.heldUntil.delete(lane);
        return;
      }
      await sleep(this.clock, leftMs, signal);
    }
  }
}
