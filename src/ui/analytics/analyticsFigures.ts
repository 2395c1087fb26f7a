import type { Executor } from '../../core/executor';
import { dailyRowSchema, type DailyRow, type HistoryAnswer, type HistoryQuery } from '../../core/history';
import { noUsage } from '../../core/usage';
import type { AnalyticsFigures, Period } from '../../protocol/analyticsProtocol';

export interface FiguresQuery {
  readonly period: Period;
  /** At most so many ended tasks. */
  readonly taskLimit: number;
  readonly nowMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Asks the history for all that the page shows. @throws what `Executor.history` throws. */
export async function readFigures(executor: Pick<Executor, 'history'>, query: FiguresQuery): Promise<AnalyticsFigures> {
  const [daily, byModel, tasks] = await Promise.all([
    ask(executor, { kind: 'daily', days: query.period }),
    ask(executor, { kind: 'byModel', days: query.period }),
    // One more than is shown tells whether there are more.
    ask(executor, { kind: 'tasks', limit: query.taskLimit + 1 }),
  ]);
  return {
    period: query.period,
    daily: fillDays(daily.rows, query.period, query.nowMs),
    byModel: byModel.rows,
    tasks: tasks.rows.slice(0, query.taskLimit),
    hasMoreTasks: tasks.rows.length > query.taskLimit,
    updatedAtMs: query.nowMs,
  };
}

type AnswerOf<K extends HistoryAnswer['kind']> = Extract<HistoryAnswer, { readonly kind: K }>;

async function ask<K extends HistoryAnswer['kind']>(
  executor: Pick<Executor, 'history'>,
  query: Extract<HistoryQuery, { readonly kind: K }>,
): Promise<AnswerOf<K>> {
  const answer = await executor.history(query);
  if (!isAnswerOf(answer, query.kind))
    throw new Error(`History answered ${answer.kind} to a question for ${query.kind}`);
  return answer;
}

function isAnswerOf<K extends HistoryAnswer['kind']>(answer: HistoryAnswer, kind: K): answer is AnswerOf<K> {
  return answer.kind === kind;
}

/** One row for each of the last `days` days in UTC, today's last; days that `rows` do not have are zero. */
export function fillDays(rows: readonly DailyRow[], days: number, nowMs: number): DailyRow[] {
  const known = new Map(rows.map((row) => [row.day, row]));
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(nowMs - (days - 1 - index) * dayMs).toISOString().slice(0, 10);
    return known.get(day) ?? emptyDay(day);
  });
}

function emptyDay(day: string): DailyRow {
  return dailyRowSchema.parse({ day, usage: noUsage, costUsd: 0, unpriced: 0, requests: 0, outcomes: {} });
}
