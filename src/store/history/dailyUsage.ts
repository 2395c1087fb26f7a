import { usageColumns, usageKeys } from './migrations';
import type { RowKeys } from './rowKeys';
import type { Statements } from './statements';

const columns = ['day', ...usageKeys, 'requests', 'unpriced', 'cost_usd', ...usageColumns];
const sums = ['requests', 'unpriced', 'cost_usd', ...usageColumns];

/** One request to a model. */
interface Request {
  readonly day: string;
  readonly keys: RowKeys;
  readonly costUsd: number | null;
  /** In the order of `usageColumns`. */
  readonly tokens: readonly number[];
}

/** Adds a request to the sums of its day, by model, engine, persona, source and repository. */
export function addDailyUsage(rows: Statements, { day, keys, costUsd, tokens }: Request): void {
  rows.run(
    `INSERT INTO daily_usage (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT DO UPDATE SET ${sums.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`,
    [day, ...keys, 1, costUsd === null ? 1 : 0, costUsd ?? 0, ...tokens],
  );
}

/** Drops the rows of requests and messages from before a time. @returns How many. */
export function purgeRaw(rows: Statements, beforeMs: number): number {
  let purged = 0;
  for (const table of ['usage', 'messages']) {
    const [found] = rows.all(`SELECT count(*) AS rows FROM ${table} WHERE at_ms < ?`, [beforeMs]);
    if (found?.['rows'] === 0) continue;
    rows.run(`DELETE FROM ${table} WHERE at_ms < ?`, [beforeMs]);
    purged += Number(found?.['rows']);
  }
  return purged;
}
