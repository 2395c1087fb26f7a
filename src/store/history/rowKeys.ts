/** What rows by day are told apart by. */
import type { SqlValue } from 'sql.js';
import { usageKeys } from './migrations';
import type { Row, Statements } from './statements';

/** In the order of `usageKeys`. */
export type RowKeys = readonly SqlValue[];

/** Those of a run; `undefined` when there is no such run. */
export function keysOfRun(rows: Statements, runId: string): RowKeys | undefined {
  const run = runWithTask(rows, runId);
  return run && keysIn(run);
}

/** Those of a request that `model` answered, which need not be the one that its run began with. Of an unknown run the rest is empty. */
export function keysOfRequest(rows: Statements, runId: string, model: string): RowKeys {
  return keysIn({ ...runWithTask(rows, runId), model });
}

/** Those of a task that ended without a run. */
export function keysOfTask(rows: Statements, taskId: string): RowKeys {
  const [task] = rows.all('SELECT persona, source_id, repo FROM tasks WHERE task_id = ?', [taskId]);
  return keysIn(task ?? {});
}

function runWithTask(rows: Statements, runId: string): Row | undefined {
  const [run] = rows.all(
    'SELECT model, engine, runs.persona AS persona, source_id, runs.repo AS repo FROM runs LEFT JOIN tasks USING (task_id) WHERE run_id = ?',
    [runId],
  );
  return run;
}

function keysIn(row: Row): RowKeys {
  return usageKeys.map((key) => row[key] ?? '');
}
