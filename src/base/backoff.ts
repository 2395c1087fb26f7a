/** How long to wait between tries: up to `firstMs` before the second try, twice as much each time, never over `maxMs`. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The delay before the next try, after `failures` (1, 2, …) that came one after another: evenly spread between nothing and
 * the limit ("full jitter"), so that many who failed together do not come back together.
 */
export function fullJitterMs(failures: number, backoff: Backoff, random: () => number = Math.random): number {
  // 2 ** 30 times anything is past every limit; more would overflow to infinity.
  const limitMs = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(random() * limitMs);
}
