import { sleep, type Clock } from '../base/clock';
import { CancelledError } from '../base/errors';
import { Mutex } from '../base/mutex';
import type { LaneAllowance } from '../core/engine';

/** The longest that a lane is held on a server's word. A server that asks for more is asked again after this. */
const maxHoldMs = 5 * 60_000;

/** With less than this share of an allowance left, the rest is spread over the time until there is a new one. */
const scarceShare = 0.1;

interface Known {
  readonly limit: number | null;
  readonly untilMs: number;
  remaining: number;
}

interface Lane {
  /** Whoever came first goes first, so that no run is kept waiting by others that ask more often. */
  readonly turns: Mutex;
  held: { readonly untilMs: number; readonly reason: string } | undefined;
  /** In monotonic time, as all times here: a jump of the wall clock neither frees nor freezes a lane. */
  readonly allowances: Map<LaneAllowance['of'], Known>;
  lastMs: number;
}

/**
 * Spaces the requests of a lane (one key at one server, one model), and holds them while the lane is to be left alone. Shared by
 * all runs, and fed by what the server says of its limits, so that these are kept before they are hit.
 */
export class LaneGovernor {
  private readonly lanes = new Map<string, Lane>();

  constructor(private readonly clock: Clock) {}

  hold(lane: string, untilMs: number, reason: string): void {
    const known = this.lane(lane);
    const until = this.monotonic(untilMs);
    if (!known.held || known.held.untilMs < until) known.held = { untilMs: until, reason };
  }

  /** The server has said what is left. Each answer knows better than the one before. */
  told(lane: string, allowances: readonly LaneAllowance[]): void {
    const known = this.lane(lane).allowances;
    for (const { of, limit, remaining, resetMs } of allowances)
      known.set(of, { limit, remaining, untilMs: this.monotonic(resetMs) });
  }

  /** Why the lane is held, for longer than `forMs`, or `undefined`. */
  heldBecause(lane: string, forMs = 0): string | undefined {
    const soonMs = this.clock.monotonicMs() + forMs;
    const known = this.lanes.get(lane);
    if (!known) return undefined;
    if (known.held && known.held.untilMs > soonMs) return known.held.reason;
    const isUsedUp = [...known.allowances.values()].some(({ remaining, untilMs }) => remaining < 1 && untilMs > soonMs);
    return isUsedUp ? 'What the model server allows for now is used up.' : undefined;
  }

  /** Whatever held them has changed: all lanes are tried at once. */
  releaseAll(): void {
    this.lanes.clear();
  }

  /**
   * Resolves when a request of about so many tokens may be sent, in the order of asking.
   * @throws {CancelledError} when `signal` is aborted.
   */
  async waitUntilFree(lane: string, signal: AbortSignal, inputTokens = 0): Promise<void> {
    const known = this.lane(lane);
    const turn = known.turns.run(() => this.pass(known, inputTokens, signal));
    await Promise.race([turn, aborted(signal, turn)]);
  }

  private async pass(lane: Lane, inputTokens: number, signal: AbortSignal): Promise<void> {
    const needs: Needs = { requests: 1, inputTokens, outputTokens: 1 };
    for (;;) {
      if (signal.aborted) throw new CancelledError();
      const now = this.clock.monotonicMs();
      const freeMs = Math.max(lane.held?.untilMs ?? 0, ...[...lane.allowances].map(allowedAt(needs, lane.lastMs, now)));
      if (freeMs <= now) break;
      await sleep(this.clock, freeMs - now, signal);
    }
    lane.held = undefined;
    lane.lastMs = this.clock.monotonicMs();
    // Until its answer says what is left, the request is taken off here.
    for (const [of, known] of lane.allowances) known.remaining = Math.max(0, known.remaining - needs[of]);
  }

  private lane(name: string): Lane {
    const known = this.lanes.get(name);
    if (known) return known;
    const lane: Lane = { turns: new Mutex(), held: undefined, allowances: new Map(), lastMs: -Infinity };
    this.lanes.set(name, lane);
    return lane;
  }

  private monotonic(wallMs: number): number {
    const forMs = Math.min(Math.max(0, wallMs - this.clock.nowMs()), maxHoldMs);
    return this.clock.monotonicMs() + forMs;
  }
}

type Needs = Readonly<Record<LaneAllowance['of'], number>>;

/** When an allowance lets the next request go. */
function allowedAt(needs: Needs, lastMs: number, now: number) {
  return ([of, { limit, remaining, untilMs }]: [LaneAllowance['of'], Known]): number => {
    if (untilMs <= now) return 0;
    // One that is larger than all that there ever is goes when everything is there.
    const need = Math.min(needs[of], limit ?? Infinity);
    if (remaining < need) return untilMs;
    if (limit === null || remaining >= limit * scarceShare) return 0;
    return Math.min(untilMs, lastMs + (untilMs - Math.max(lastMs, 0)) / (remaining / Math.max(1, need) + 1));
  };
}

/** Rejects when `signal` is aborted before `done` has ended. */
function aborted(signal: AbortSignal, done: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    const over = (): void => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    done.then(over, over);
  });
}
