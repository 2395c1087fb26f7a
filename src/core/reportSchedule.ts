/** When a report is due by itself, and of which days it is. */
import { dayOfMs } from './askHistory';
import type { DaySpan } from './history';

export const reportSchedules = ['off', 'daily', 'weekly'] as const;
export type ReportSchedule = (typeof reportSchedules)[number];

/** Points in time, in milliseconds since the epoch. */
export interface ReportTimes {
  /** The first one after `afterMs`; `null` when there is none. */
  next(afterMs: number): number | null;
  /** The last one at or before `atMs`; `null` when there was none. */
  last(atMs: number): number | null;
}

const dayMs = 86_400_000;

/** The whole days in UTC before the one in which it is due: one, or seven. */
export function spanOfReport(schedule: Exclude<ReportSchedule, 'off'>, dueMs: number): DaySpan {
  const days = schedule === 'daily' ? 1 : 7;
  return { from: dayOfMs(dueMs - days * dayMs), to: dayOfMs(dueMs - dayMs) };
}
