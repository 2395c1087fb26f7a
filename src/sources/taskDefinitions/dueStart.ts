import type { TaskState } from '../../core/liveState';
import { isEnded } from '../../core/task';
import type { TaskDefinition } from './definitionSchema';
import { parseStartKey, timeOf } from './startKey';
import { cronStarts, intervalStarts, type Starts } from './starts';

/** A start that is due: whether it is done, and what is to be said about it. */
export type DueStart =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'start' | 'replace';
      readonly atMs: number;
      /** How many starts there were for which nothing was done, this one counted. */
      readonly count: number;
    }
  /** The one before is not over. `wait`: this one comes after it. */
  | { readonly kind: 'skip'; readonly atMs: number }
  | { readonly kind: 'wait'; readonly atMs: number };

/** Times that lie further ahead were made by a clock that was wrong. */
const clockToleranceMs = 2 * 3600_000;
const maxCounted = 1000;

/** The times of a definition; `undefined` when no clock starts it. */
export function startsOf({ schedule, trigger }: TaskDefinition): Starts | undefined {
  if (schedule) return cronStarts(schedule.expression, schedule.timezone);
  return trigger?.type === 'interval' ? intervalStarts(trigger.seconds) : undefined;
}

/**
 * What is due now. Whatever time went by, and whichever way the clock has jumped: at most one start, the latest; and none that
 * was before the definition was last written.
 * @param known The tasks that this definition has had.
 */
export function dueStart(
  starts: Starts,
  known: readonly TaskState[],
  options: { readonly writtenAtMs: number; readonly nowMs: number; readonly overlap: TaskDefinition['overlap'] },
): DueStart {
  const { writtenAtMs, nowMs, overlap } = options;
  const atMs = starts.last(nowMs);
  const lastMs = lastStartMs(known, nowMs);
  const sinceMs = Math.max(lastMs, Math.min(writtenAtMs, nowMs));
  if (atMs === null || atMs <= sinceMs) return { kind: 'none' };
  switch (overlap) {
    case 'skip':
      // Also one that has ended since: what was skipped is not caught up.
      if (isBusyAt(known, atMs)) return { kind: 'skip', atMs };
      break;
    case 'queue':
      if (isBusyAt(known, nowMs)) return { kind: 'wait', atMs };
      break;
    case 'replace':
      if (isBusyAt(known, nowMs)) return { kind: 'replace', atMs, count: 1 };
      break;
  }
  return { kind: 'start', atMs, count: countUndone(starts, known, sinceMs, atMs) };
}

/** One of these tasks was there at that time and not over. */
export function isBusyAt(known: readonly TaskState[], timeMs: number): boolean {
  return known.some(
    (task) => task.queuedAtMs <= timeMs && (!isEnded(task.status) || (task.endedAtMs ?? Infinity) > timeMs),
  );
}

/** The tasks that a clock has started, and when they were to start. */
export function madeStarts(known: readonly TaskState[], nowMs: number): { task: TaskState; atMs: number }[] {
  return known.flatMap((task) => {
    const key = parseStartKey(task.spec.origin.externalId);
    const atMs = key ? timeOf(key) : null;
    return key?.retry === 0 && atMs !== null && atMs <= nowMs + clockToleranceMs ? [{ task, atMs }] : [];
  });
}

function lastStartMs(known: readonly TaskState[], nowMs: number): number {
  return madeStarts(known, nowMs).reduce((last, { atMs }) => Math.max(last, atMs), -Infinity);
}

/** The start at `atMs`, and those after `sinceMs` for which nothing was done though the one before them was over. */
export function countUndone(starts: Starts, known: readonly TaskState[], sinceMs: number, atMs: number): number {
  let count = 1;
  let next = starts.next(sinceMs);
  for (let seen = 0; next !== null && next < atMs && seen < maxCounted; seen += 1) {
    if (!isBusyAt(known, next)) count += 1;
    next = starts.next(next);
  }
  return count;
}
