import { usageColumns, usageKeys } from './migrations';
import type { Statements } from './statements';

const columns = ['day', ...usageKeys, 'requests', 'unpriced', 'cost_usd', ...usageColumns];
const sums = ['requests', 'unpriced', 'cost_usd', ...usageColumns];

/** One request to a model. */
interface Request {
  readonly day: string;
  readonly runId: string;
  readonly model: string;
  readonly costUsd: number | null;
  /** In the order of `usageColumns`. */
  readonly tokens: readonly number[];
}

/** Adds a request to the sums of its day, by model, engine, persona, source and repository. */
export function addDailyUsage(rows: Statements, { day, runId, model, costUsd, tokens }: Request): void {
  const [run] = rows.all(
    'SELECT engine, runs.persona AS persona, source_id, runs.repo AS repo FROM runs LEFT JOIN tasks USING (task_id) WHERE run_id = ?',
    [runId],
  );
  rows.run(
    `INSERT INTO daily_usage (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT DO UPDATE SET ${sums.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`,
    [
      day,
      model,
      ...(['engine', 'persona', 'source_id', 'repo'] as const).map((key) => run?.[key] ?? ''),
      1,
      costUsd === null ? 1 : 0,
      costUsd ?? 0,
      ...tokens,
    ],
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
