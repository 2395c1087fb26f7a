import { askHistory, lastDays, pastSpending } from '../../core/askHistory';
import { noLimits } from '../../core/budget';
import { budgetForecasts } from '../../core/budgetForecast';
import type { Executor } from '../../core/executor';
import type { DaySpan, SumRow } from '../../core/history';
import { noUsage } from '../../core/usage';
import type { AnalyticsFigures, AnalyticsView, Range } from '../../protocol/analyticsProtocol';

export interface FiguresQuery {
  readonly view: AnalyticsView;
  /** At most so many tasks. */
  readonly taskLimit: number;
  readonly nowMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Asks the history for all that the page shows. @throws what `Executor.history` throws. */
export async function readFigures(
  executor: Pick<Executor, 'history' | 'state'>,
  { view, taskLimit, nowMs }: FiguresQuery,
): Promise<AnalyticsFigures> {
  const span = spanOf(view.range, nowMs);
  const of = view.row === null ? {} : { [view.by]: view.row };
  const [sums, tasks, past, anything] = await Promise.all([
    askHistory(executor, { kind: 'sums', span, by: [view.by] }),
    // One more than is shown tells whether there are more.
    askHistory(executor, { kind: 'tasksOf', span, of, limit: taskLimit + 1 }),
    pastSpending(executor, nowMs),
    askHistory(executor, { kind: 'tasks', limit: 1 }),
  ]);
  const { budget } = executor.state;
  return {
    view,
    span,
    rows: view.by === 'day' ? fillDays(sums.rows, span) : sums.rows,
    tasks: tasks.rows.slice(0, taskLimit),
    hasMoreTasks: tasks.rows.length > taskLimit,
    hasHistory: anything.rows.length > 0,
    budgets: budgetForecasts(executor.state, budget.limits ?? noLimits, past, nowMs),
    updatedAtMs: nowMs,
  };
}

export function spanOf(range: Range, nowMs: number): DaySpan {
  return typeof range === 'number' ? lastDays(range, nowMs) : range;
}

/** One row for each day of the span; days that `rows` do not have are zero. */
export function fillDays(rows: readonly SumRow[], { from, to }: DaySpan): SumRow[] {
  const known = new Map(rows.map((row) => [row.keys.day, row]));
  const filled: SumRow[] = [];
  for (let atMs = Date.parse(from); atMs <= Date.parse(to); atMs += dayMs) {
    const day = new Date(atMs).toISOString().slice(0, 10);
    filled.push(known.get(day) ?? emptyDay(day));
  }
  return filled;
}

function emptyDay(day: string): SumRow {
  const nothing = { costUsd: 0, unpriced: 0, requests: 0, outcomes: {}, runsStarted: 0, waits: 0, queueWaitMs: 0 };
  const noTime = { runsEnded: 0, runMs: 0, sessions: 0, sessionMs: 0, retries: 0, firstTokens: 0, firstTokenMs: 0 };
  return { keys: { day }, usage: noUsage, ...nothing, ...noTime };
}
