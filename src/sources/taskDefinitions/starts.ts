import { Cron } from 'croner';
import { messageOf } from '../../base/errors';

/** When a task is to be started, as points in time (milliseconds since the epoch). */
export interface Starts {
  /** The first one after `afterMs`; `null` when there is none any more. */
  next(afterMs: number): number | null;
  /** The last one at or before `atMs`; `null` when there was none. */
  last(atMs: number): number | null;
}

/**
 * The times of a cron expression in a time zone. A time that daylight saving skips is made up for as soon as the clock has
 * gone on; one that it has twice is the first of the two.
 */
export function cronStarts(expression: string, timezone: string): Starts {
  const cron = new Cron(expression, { timezone, paused: true });
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? null,
    // It answers what lies before the time that it is given.
    last: (atMs) => cron.previousRuns(1, new Date(Math.floor(atMs / 1000) * 1000 + 1000))[0]?.getTime() ?? null,
  };
}

/** Every so many seconds, counted from the epoch: the same times after every restart. */
export function intervalStarts(seconds: number): Starts {
  const everyMs = seconds * 1000;
  const last = (atMs: number): number => Math.floor(atMs / everyMs) * everyMs;
  return { next: (afterMs) => last(afterMs) + everyMs, last };
}

/** The next `count` starts after `afterMs`. */
export function nextStarts(starts: Starts, afterMs: number, count: number): number[] {
  const found: number[] = [];
  for (let next = starts.next(afterMs); next !== null && found.length < count; next = starts.next(next))
    found.push(next);
  return found;
}

/** What is wrong with an expression, in words; `null` when nothing is. */
export function cronProblem(expression: string, timezone: string): string | null {
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6)
    return 'it must have five fields, such as 0 9 * * 1-5, or six with seconds in front';
  try {
    const next = new Cron(expression, { timezone, paused: true }).nextRun();
    return next === null ? 'there is no such time' : null;
  } catch (error) {
    return `it is no cron expression (${messageOf(error).replace(/^CronPattern: /, '')})`;
  }
}

export function zoneProblem(timezone: string): string | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return null;
  } catch {
    return `“${timezone}” is no time zone; they are called like Europe/Berlin`;
  }
}
