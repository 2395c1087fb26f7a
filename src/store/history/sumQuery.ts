/** Sums of spending and work over a span of days, by any dimensions. */
import type { DaySpan, Dimension } from '../../core/history';
import { allSums, columnOf, everyRow, freshenDailySums, sumOfAll } from './dailySums';
import { outcomeSums, type workSums } from './migrations';
import { spendOf } from './rowShapes';
import type { Row, Statements } from './statements';

const inSpan = 'day BETWEEN ?1 AND ?2';

/** One row for each combination that there is; by the day when that is among them, and else the most expensive first. */
export function sums(rows: Statements, { from, to }: DaySpan, by: readonly Dimension[]): unknown[] {
  const [dimension, ...others] = new Set(by);
  const keyList = [dimension, ...others].map((of) => of && columnOf[of]).join(', ');
  const single = dimension !== undefined && others.length === 0;
  if (single) freshenDailySums(rows);
  const summed = single ? rowsByOne(dimension) : everyRow(keyList, inSpan);
  return rows
    .all(
      `SELECT ${keyList}, ${sumOfAll} FROM (${summed}) GROUP BY ${keyList}
       ORDER BY ${by.includes('day') ? keyList : `cost_usd DESC, ${keyList}`}`,
      [from, to],
    )
    .map((row) => ({
      keys: Object.fromEntries(by.map((of) => [of, String(row[columnOf[of]])])),
      ...spendOf(row),
      ...workOf(row),
      outcomes: outcomesOf(row),
    }));
}

/** A few rows for each day, and not one for each combination of all dimensions. */
function rowsByOne(dimension: Dimension): string {
  return `SELECT key AS ${columnOf[dimension]}, ${allSums.join(', ')} FROM daily_sums WHERE dimension = '${dimension}' AND ${inSpan}`;
}

function outcomesOf(row: Row): Record<string, number> {
  const counted = Object.entries(outcomeSums).map(([outcome, column]) => [outcome, Number(row[column])] as const);
  return Object.fromEntries(counted.filter(([, tasks]) => tasks > 0));
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
