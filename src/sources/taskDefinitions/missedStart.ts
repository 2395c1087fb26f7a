import type { TaskState } from '../../core/liveState';
import { lateStartMs, type MissedStart, type OverlapPolicy } from '../../core/plannedTask';
import type { LoadedDefinition } from './definitionFolder';
import type { TaskDefinition } from './definitionSchema';
import { countUndone, dueStart, isBusyAt, madeStarts, startsOf } from './dueStart';
import { timeKey } from './startKey';
import type { Starts } from './starts';

/** The last start of a definition, if it was missed. @param known The tasks that it has had. */
export function missedStart(
  { read: { definition }, writtenAtMs }: LoadedDefinition,
  known: readonly TaskState[],
  nowMs: number,
): MissedStart | null {
  const starts = definition?.enabled ? startsOf(definition) : undefined;
  if (!definition || !starts) return null;
  const due = dueStart(starts, known, { writtenAtMs, nowMs, overlap: definition.overlap });
  if (due.kind !== 'start' && due.kind !== 'replace')
    return madeUpFor(starts, definition, known, { writtenAtMs, nowMs });
  const isLate = nowMs - due.atMs > lateStartMs && !hasWaited(definition.overlap, known, due.atMs);
  return isLate ? { at: timeKey(due.atMs), count: due.count, madeUpBy: null } : null;
}

/** The last start that was made, if it was made too late or others before it were not made at all. */
function madeUpFor(
  starts: Starts,
  { overlap }: TaskDefinition,
  known: readonly TaskState[],
  { writtenAtMs, nowMs }: { readonly writtenAtMs: number; readonly nowMs: number },
): MissedStart | null {
  const made = madeStarts(known, nowMs).sort((a, b) => b.atMs - a.atMs);
  const [last, before] = made;
  if (!last) return null;
  const others = made.slice(1).map(({ task }) => task);
  const sinceMs = Math.max(before?.atMs ?? -Infinity, Math.min(writtenAtMs, last.atMs));
  const count = countUndone(starts, others, sinceMs, last.atMs);
  const isLate = last.task.queuedAtMs - last.atMs > lateStartMs && !hasWaited(overlap, others, last.atMs);
  return isLate || count > 1 ? { at: timeKey(last.atMs), count, madeUpBy: last.task.id } : null;
}

/** A start that was to wait for the one before it was not missed. */
function hasWaited(overlap: OverlapPolicy, others: readonly TaskState[], atMs: number): boolean {
  return overlap === 'queue' && isBusyAt(others, atMs);
}
