/** After something happened there is often more. */
const busyMs = 2_000;
/** So many looks in a row that find nothing are as usual; after them it looks ever more seldom. */
const usualLooks = 10;
const slowDown = 1.5;
/** At most so many intervals, and never longer than this, unless the interval itself is. */
const maxIntervals = 4;
const maxMs = 300_000;

/**
 * How long until the next look: short after something happened, then up to the interval again, and longer when nothing has
 * happened for long or somebody tells of news anyway.
 */
export class Pace {
  private delayMs: number;
  private quietLooks = 0;
  private readonly slowestMs: number;

  constructor(private readonly intervalMs: number) {
    this.delayMs = intervalMs;
    this.slowestMs = Math.max(intervalMs, Math.min(maxMs, intervalMs * maxIntervals));
  }

  /** Something happened. @returns How long until it is worth a look. */
  quicken(): number {
    this.quietLooks = 0;
    this.delayMs = Math.min(busyMs, this.intervalMs);
    return this.delayMs;
  }

  /**
   * The delay after a look that found nothing new.
   * @param isTold Somebody tells of news, so that looking is only to be on the safe side.
   */
  next(isTold: boolean): number {
    const { delayMs } = this;
    this.quietLooks = delayMs < this.intervalMs ? 0 : this.quietLooks + 1;
    if (delayMs < this.intervalMs) this.delayMs = Math.min(this.intervalMs, delayMs * 2);
    else if (this.quietLooks >= usualLooks) this.delayMs = Math.min(this.slowestMs, delayMs * slowDown);
    return isTold ? this.slowestMs : delayMs;
  }
}
