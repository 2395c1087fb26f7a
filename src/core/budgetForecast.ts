/** Where spending comes to at the pace that it has had: a straight line, which knows nothing of what is queued. */
import { type BudgetLimits, endOfDayMs, startOfDayMs } from './budget';
import type { BudgetForecast } from './budgetOutlook';
import { roomsOf } from './budgetRooms';
import type { LiveState } from './liveState';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Days that a limit without a period takes its pace from. */
export const paceDays = 7;

/** Spending that the live state does not know. */
export interface PastSpending {
  readonly monthUsd: number;
  /** Of the last `paceDays` days, today included. */
  readonly lastDaysUsd: number;
  readonly lastDaysTokens: number;
}

/** Every limit of a period or of all, and this month. Limits of one run or task have no pace. */
export function budgetForecasts(
  state: LiveState,
  limits: BudgetLimits,
  past: PastSpending,
  nowMs: number,
): BudgetForecast[] {
  const today = { fromMs: startOfDayMs(nowMs), toMs: endOfDayMs(nowMs), nowMs };
  const ofLimits = roomsOf(state, limits, nowMs).flatMap(({ scope, subject, unit, spent, limit }): BudgetForecast[] => {
    if (scope === 'run' || scope === 'task') return [];
    const of = { scope, subject, unit, spent, limit };
    if (scope !== 'total') return [{ ...of, ...inPeriod(spent, limit, today) }];
    const lately = unit === 'usd' ? past.lastDaysUsd : past.lastDaysTokens;
    return [{ ...of, atEnd: null, reachedAtMs: reachedAt(spent, limit, lately / (paceDays * dayMs), nowMs) }];
  });
  const month = { scope: 'month', subject: '', unit: 'usd', spent: past.monthUsd, limit: null } as const;
  return [...ofLimits, { ...month, ...inPeriod(past.monthUsd, null, monthOf(nowMs)) }];
}

interface Period {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

function inPeriod(
  spent: number,
  limit: number | null,
  { fromMs, toMs, nowMs }: Period,
): Pick<BudgetForecast, 'atEnd' | 'reachedAtMs'> {
  const elapsedMs = nowMs - fromMs;
  // A few minutes say nothing about a day.
  if (elapsedMs < hourMs) return { atEnd: null, reachedAtMs: limit !== null && spent >= limit ? nowMs : null };
  const perMs = spent / elapsedMs;
  const reachedAtMs = reachedAt(spent, limit, perMs, nowMs);
  return {
    atEnd: perMs * (toMs - fromMs),
    reachedAtMs: reachedAtMs !== null && reachedAtMs < toMs ? reachedAtMs : null,
  };
}

function reachedAt(spent: number, limit: number | null, perMs: number, nowMs: number): number | null {
  if (limit === null) return null;
  if (spent >= limit) return nowMs;
  return perMs > 0 ? nowMs + (limit - spent) / perMs : null;
}

function monthOf(nowMs: number): Period {
  const now = new Date(nowMs);
  const startOf = (month: number): number => Date.UTC(now.getUTCFullYear(), month, 1);
  return { fromMs: startOf(now.getUTCMonth()), toMs: startOf(now.getUTCMonth() + 1), nowMs };
}
