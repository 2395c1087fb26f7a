/** Sums of spending and work over a span of days, by any dimensions. */
import type { DaySpan, Dimension } from '../../core/history';
import { usageColumns, workSums } from './migrations';
import { spendOf } from './rowShapes';
import type { Row, Statements } from './statements';

/** The column that a dimension stands in. */
const columnOf: Readonly<Record<Dimension, string>> = {
  day: 'day',
  model: 'model',
  engine: 'engine',
  persona: 'persona',
  source: 'source_id',
  repository: 'repo',
};

const spendSums = ['requests', 'unpriced', 'cost_usd', ...usageColumns];
const sumOf = (column: string): string => `sum(${column}) AS ${column}`;
const zero = (column: string): string => `0 AS ${column}`;

/** One row for each combination that there is; by the day when that is among them, and else the most expensive first. */
export function sums(rows: Statements, { from, to }: DaySpan, by: readonly Dimension[]): unknown[] {
  const columns = [...new Set(by)].map((dimension) => columnOf[dimension]);
  const keyList = columns.join(', ');
  const outcomes = outcomesOf(rows, { from, to }, columns);
  const order = columns.includes('day') ? keyList : `cost_usd DESC, ${keyList}`;
  return rows
    .all(
      `SELECT ${keyList}, ${[...spendSums, ...workSums].map(sumOf).join(', ')} FROM (
         SELECT ${keyList}, ${[...spendSums, ...workSums.map(zero)].join(', ')} FROM daily_usage WHERE day BETWEEN ?1 AND ?2
         UNION ALL
         SELECT ${keyList}, ${[...spendSums.map(zero), ...workSums].join(', ')} FROM daily_work WHERE day BETWEEN ?1 AND ?2
         UNION ALL
         SELECT ${keyList}, ${[...spendSums, ...workSums].map(zero).join(', ')} FROM daily_outcomes WHERE day BETWEEN ?1 AND ?2
       ) GROUP BY ${keyList} ORDER BY ${order}`,
      [from, to],
    )
    .map((row) => ({
      keys: Object.fromEntries(by.map((dimension) => [dimension, String(row[columnOf[dimension]])])),
      ...spendOf(row),
      ...workOf(row),
      outcomes: Object.fromEntries(outcomes.get(keyOf(row, columns)) ?? []),
    }));
}

function outcomesOf(
  rows: Statements,
  { from, to }: DaySpan,
  columns: readonly string[],
): Map<string, Map<string, number>> {
  const keyList = columns.join(', ');
  const found = new Map<string, Map<string, number>>();
  const counted = rows.all(
    `SELECT ${keyList}, outcome, sum(tasks) AS tasks FROM daily_outcomes WHERE day BETWEEN ? AND ? GROUP BY ${keyList}, outcome`,
    [from, to],
  );
  for (const row of counted) {
    const key = keyOf(row, columns);
    const ofKey = found.get(key) ?? new Map<string, number>();
    found.set(key, ofKey.set(String(row['outcome']), Number(row['tasks'])));
  }
  return found;
}

function keyOf(row: Row, columns: readonly string[]): string {
  return JSON.stringify(columns.map((column) => row[column]));
}

function workOf(row: Row): Record<string, number> {
  const sum = (column: (typeof workSums)[number]): number => Number(row[column]);
  return {
    runsStarted: sum('runs_started'),
    waits: sum('waits'),
    queueWaitMs: sum('queue_wait_ms'),
    runsEnded: sum('runs_ended'),
    runMs: sum('run_ms'),
    sessions: sum('sessions'),
    sessionMs: sum('session_ms'),
    retries: sum('retries'),
    firstTokens: sum('first_tokens'),
    firstTokenMs: sum('first_token_ms'),
  };
}
