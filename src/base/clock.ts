import { CancelledError } from './errors';
import { type Disposable, toDisposable } from './disposable';

/** Time, so that tests can fake it. */
export interface Clock {
  /** Wall time: milliseconds since the epoch. It may jump. */
  nowMs(): number;
  /** Milliseconds since some fixed point. It never goes back; use it for durations. */
  monotonicMs(): number;
  /** Calls `callback` once, after `delayMs`, unless it is disposed of first. */
  setTimer(delayMs: number, callback: () => void): Disposable;
}

/** Node's longest timer. A longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), maxTimerMs));
    return toDisposable(() => clearTimeout(timer));
  },
};

/**
 * Resolves after `delayMs`.
 * @throws {CancelledError} when `signal` is aborted first.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new CancelledError());
      return;
    }
    const onAbort = (): void => {
      timer.dispose();
      reject(new CancelledError());
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
