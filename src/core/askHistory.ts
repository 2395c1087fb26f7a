/** Questions to the history with their answer's own type, and what is made of answers. */
import type { PastSpending } from './budgetForecast';
import { paceDays } from './budgetForecast';
import type { Executor } from './executor';
import type { DaySpan, HistoryAnswer, HistoryQuery, SumRow } from './history';
import { totalTokens } from './usage';

const dayMs = 86_400_000;

export type AnswerOf<K extends HistoryAnswer['kind']> = Extract<HistoryAnswer, { readonly kind: K }>;
export type Historian = Pick<Executor, 'history'>;

/** @throws what `Executor.history` throws. */
export async function askHistory<K extends HistoryAnswer['kind']>(
  executor: Historian,
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

/** The day in UTC. */
export function dayOfMs(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The last `days` days in UTC, today included. */
export function lastDays(days: number, nowMs: number): DaySpan {
  return { from: dayOfMs(nowMs - (days - 1) * dayMs), to: dayOfMs(nowMs) };
}

/** What forecasts need of the history. @throws what `Executor.history` throws. */
export async function pastSpending(executor: Historian, nowMs: number): Promise<PastSpending> {
  const today = dayOfMs(nowMs);
  const week = lastDays(paceDays, nowMs).from;
  const month = `${today.slice(0, 8)}01`;
  const span = { from: week < month ? week : month, to: today };
  const { rows } = await askHistory(executor, { kind: 'sums', span, by: ['day'] });
  const since = (first: string): SumRow[] => rows.filter(({ keys }) => (keys.day ?? '') >= first);
  const cost = (of: readonly SumRow[]): number => of.reduce((sum, { costUsd }) => sum + costUsd, 0);
  return {
    monthUsd: cost(since(month)),
    lastDaysUsd: cost(since(week)),
    lastDaysTokens: since(week).reduce((sum, { usage }) => sum + totalTokens(usage), 0),
  };
}
