import type { Clock } from '../../base/clock';
import { type Disposable, toDisposable } from '../../base/disposable';

/**
 * Calls `check` again and again. It answers after how many milliseconds it wants to be called next, or `undefined` when it
 * is done.
 */
export function repeat(
  clock: Clock,
  firstAfterMs: number,
  check: () => number | undefined | Promise<number | undefined>,
): Disposable {
  let stopped = false;
  let timer = clock.setTimer(firstAfterMs, tick);
  function tick(): void {
    void Promise.resolve(check()).then((nextMs) => {
      if (!stopped && nextMs !== undefined) timer = clock.setTimer(nextMs, tick);
    });
  }
  return toDisposable(() => {
    stopped = true;
    timer.dispose();
  });
}
