/** Keeps the sums of work by day: runs, waiting, sessions, retries and endings of tasks. */
import type { SqlValue } from 'sql.js';
import { usageKeys, workSums } from './migrations';
import type { Statements } from './statements';

type WorkSum = (typeof workSums)[number];
type Keys = readonly SqlValue[];

/** What rows by day are told apart by, of a run; `undefined` when there is no such run. In the order of `usageKeys`. */
function keysOfRun(rows: Statements, runId: string): Keys | undefined {
  const [run] = rows.all(
    'SELECT model, engine, runs.persona AS persona, source_id, runs.repo AS repo FROM runs LEFT JOIN tasks USING (task_id) WHERE run_id = ?',
    [runId],
  );
  return run && usageKeys.map((key) => run[key] ?? '');
}

/** Of a task that ended without a run. */
function keysOfTask(rows: Statements, taskId: string): Keys {
  const [task] = rows.all(`SELECT '' AS model, '' AS engine, persona, source_id, repo FROM tasks WHERE task_id = ?`, [
    taskId,
  ]);
  return usageKeys.map((key) => task?.[key] ?? '');
}

/** Adds to the sums of a day. Of a run that is not known nothing is counted. */
export function addDailyWork(
  rows: Statements,
  day: string,
  runId: string,
  sums: Readonly<Partial<Record<WorkSum, number>>>,
): void {
  const keys = keysOfRun(rows, runId);
  if (!keys) return;
  const columns = workSums.filter((sum) => sums[sum] !== undefined);
  rows.run(
    `INSERT INTO daily_work (day, ${usageKeys.join(', ')}, ${columns.join(', ')})
     VALUES (?, ${[...usageKeys, ...columns].map(() => '?').join(', ')})
     ON CONFLICT DO UPDATE SET ${columns.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(', ')}`,
    [day, ...keys, ...columns.map((sum) => sums[sum] ?? 0)],
  );
}

/** Counts the ending of a task under the keys of the run that it ended with. */
export function addDailyOutcome(
  rows: Statements,
  day: string,
  ended: { readonly taskId: string; readonly runId: string | null; readonly outcome: string },
): void {
  const ofRun = ended.runId === null ? undefined : keysOfRun(rows, ended.runId);
  rows.run(
    `INSERT INTO daily_outcomes VALUES (?, ${usageKeys.map(() => '?').join(', ')}, ?, 1)
     ON CONFLICT DO UPDATE SET tasks = tasks + 1`,
    [day, ...(ofRun ?? keysOfTask(rows, ended.taskId)), ended.outcome],
  );
}
