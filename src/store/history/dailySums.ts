/** The sums of each day by one dimension alone: made of the tables by all dimensions, of the days that have changed since. */
import type { Dimension } from '../../core/history';
import { outcomeSums, usageColumns, workSums } from './migrations';
import type { Statements } from './statements';

/** The column that a dimension stands in. */
export const columnOf: Readonly<Record<Dimension, string>> = {
  day: 'day',
  model: 'model',
  engine: 'engine',
  persona: 'persona',
  source: 'source_id',
  repository: 'repo',
};

const spendSums = ['requests', 'unpriced', 'cost_usd', ...usageColumns];
const outcomes = Object.entries(outcomeSums);

/** Every column that can be summed up. */
export const allSums: readonly string[] = [...spendSums, ...workSums, ...outcomes.map(([, column]) => column)];

/** `sum(requests) AS requests, …` */
export const sumOfAll = allSums.map((column) => `sum(${column}) AS ${column}`).join(', ');

/** A question for all rows of spending, work and endings, each with these columns and with `allSums`. */
export function everyRow(columns: string, where: string): string {
  const rowsOf = (table: string, known: Readonly<Record<string, string>>): string =>
    `SELECT ${columns}, ${allSums.map((sum) => `${known[sum] ?? '0'} AS ${sum}`).join(', ')} FROM ${table} WHERE ${where}`;
  const themselves = (sums: readonly string[]): Record<string, string> =>
    Object.fromEntries(sums.map((sum) => [sum, sum]));
  const counted = outcomes.map(([outcome, column]) => [column, `iif(outcome = '${outcome}', tasks, 0)`] as const);
  return [
    rowsOf('daily_usage', themselves(spendSums)),
    rowsOf('daily_work', themselves(workSums)),
    rowsOf('daily_outcomes', Object.fromEntries(counted)),
  ].join(' UNION ALL ');
}

/** Brings `daily_sums` to what the other tables say. Where it fails, the days are still stale and are made the next time. */
export function freshenDailySums(rows: Statements): void {
  if (rows.all('SELECT 1 FROM stale_days LIMIT 1', []).length === 0) return;
  const stale = 'day IN (SELECT day FROM stale_days)';
  rows.run(`DELETE FROM daily_sums WHERE dimension IN (SELECT DISTINCT dimension FROM daily_sums) AND ${stale}`, []);
  for (const [dimension, column] of Object.entries(columnOf)) {
    rows.run(
      `INSERT INTO daily_sums (dimension, day, key, ${allSums.join(', ')})
       SELECT ?, day, ${column}, ${sumOfAll} FROM (${everyRow(column === 'day' ? 'day' : `day, ${column}`, stale)}) GROUP BY day, ${column}`,
      [dimension],
    );
  }
  rows.run('DELETE FROM stale_days', []);
}
