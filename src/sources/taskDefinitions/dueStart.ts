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
      /** How many starts there were since the last one that was seen, this one counted. */
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
  const isOpenAt = (task: TaskState, timeMs: number): boolean =>
    task.queuedAtMs <= timeMs && (!isEnded(task.status) || (task.endedAtMs ?? nowMs) > timeMs);
  switch (overlap) {
    case 'skip':
      // Also one that has ended since: what was skipped is not caught up.
      if (known.some((task) => isOpenAt(task, atMs))) return { kind: 'skip', atMs };
      break;
    case 'queue':
      if (known.some((task) => isOpenAt(task, nowMs))) return { kind: 'wait', atMs };
      break;
    case 'replace':
      if (known.some((task) => isOpenAt(task, nowMs))) return { kind: 'replace', atMs, count: 1 };
      break;
  }
  return { kind: 'start', atMs, count: countBetween(starts, sinceMs, atMs) };
}

function lastStartMs(known: readonly TaskState[], nowMs: number): number {
  let last = -Infinity;
  for (const { spec } of known) {
    const key = parseStartKey(spec.origin.externalId);
    const atMs = key ? timeOf(key) : null;
    if (atMs !== null && atMs <= nowMs + clockToleranceMs) last = Math.max(last, atMs);
  }
  return last;
}

function countBetween(starts: Starts, afterMs: number, untilMs: number): number {
  let count = 0;
  for (
    let next = starts.next(afterMs);
    next !== null && next <= untilMs && count < maxCounted;
    next = starts.next(next)
  ) {
    count += 1;
  }
  return Math.max(1, count);
}
