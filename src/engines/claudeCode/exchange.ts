import type { Clock } from '../../base/clock';
import { type Disposable, toDisposable } from '../../base/disposable';
import type { RelayEnd } from './modelRelay';

/** How one attempt at an exchange came to its end. */
export type AttemptEnd =
  | { readonly kind: 'result'; readonly ok: boolean; readonly subtype: string; readonly text: string }
  | RelayEnd
  /** Its process ended without a result. */
  | { readonly kind: 'died'; readonly words: string }
  /** Nothing was heard of it for so long. */
  | { readonly kind: 'silent'; readonly forMs: number };

export interface SilenceOptions {
  readonly clock: Clock;
  /** How long nothing may be heard, as things are now; `null`: it is not waited for, but for somebody else. */
  readonly limitMs: () => number | null;
}

/** One attempt: over at the first of its ends, and a silence that lasts too long is one. */
export class Attempt {
  readonly ended: Promise<AttemptEnd>;
  private settle: (end: AttemptEnd) => void = () => {};
  private timer: Disposable = toDisposable(() => {});
  private heardMs: number;

  constructor(private readonly options: SilenceOptions) {
    this.heardMs = options.clock.monotonicMs();
    this.ended = new Promise((resolve) => (this.settle = resolve));
    this.watch();
  }

  /** Something was heard. */
  touch(): void {
    this.heardMs = this.options.clock.monotonicMs();
  }

  end(end: AttemptEnd): void {
    this.timer.dispose();
    this.settle(end);
  }

  private watch(): void {
    const { clock, limitMs } = this.options;
    this.timer = clock.setTimer(lookMs, () => {
      const limit = limitMs();
      if (limit === null) this.touch();
      const forMs = clock.monotonicMs() - this.heardMs;
      if (limit !== null && forMs >= limit) this.end({ kind: 'silent', forMs });
      else this.watch();
    });
  }
}

const lookMs = 1_000;
