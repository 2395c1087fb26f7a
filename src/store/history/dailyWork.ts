/** Keeps the sums of work by day: runs, waiting, sessions, retries and endings of tasks. */
import { usageKeys, workSums } from './migrations';
import { keysOfRun, keysOfTask, type RowKeys } from './rowKeys';
import type { Statements } from './statements';

type WorkSums = Readonly<Partial<Record<(typeof workSums)[number], number>>>;

/** Adds to the sums of a day. Of a run that is not known nothing is counted. */
export function addDailyWork(rows: Statements, day: string, runId: string, sums: WorkSums): void {
  const keys = keysOfRun(rows, runId);
  if (keys) addWorkOf(rows, day, keys, sums);
}

/** Adds to the sums of a day under these keys. */
export function addWorkOf(rows: Statements, day: string, keys: RowKeys, sums: WorkSums): void {
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
