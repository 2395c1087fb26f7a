/** The tasks behind a row of sums. */
import type { SqlValue } from 'sql.js';
import type { DaySpan, Dimension } from '../../core/history';
import { usageColumns } from './migrations';
import { taskOf } from './rowShapes';
import type { Statements } from './statements';

const dayMs = 86_400_000;

/**
 * Up to so many runs it is quicker to gather and sort their tasks; with more of them, to go through all tasks in their order until
 * the page is full (10,000 tasks, of which 27 are meant: 4 ms and 25 ms; of which all are meant: 45 ms and 1 ms).
 */
const fewRuns = 1000;

/** What tells the runs of a row of sums; `?n` is its word. A model may be another than the one that a run began with. */
const conditions: Readonly<Record<Exclude<Dimension, 'day' | 'source'>, (mark: string) => string>> = {
  model: (mark) =>
    `(runs.model = ${mark} OR runs.run_id IN (SELECT used.run_id FROM run_models AS used WHERE used.model = ${mark}))`,
  engine: (mark) => `runs.engine = ${mark}`,
  persona: (mark) => `runs.persona = ${mark}`,
  repository: (mark) => `runs.repo = ${mark}`,
};

/** Of a task that has had no run: model and engine are not known. */
const withoutRun: typeof conditions = {
  model: (mark) => `${mark} = ''`,
  engine: (mark) => `${mark} = ''`,
  persona: (mark) => `ifnull(tasks.persona, '') = ${mark}`,
  repository: (mark) => `ifnull(tasks.repo, '') = ${mark}`,
};

/** The index `tasks_in_order` has this order. */
const orderOf = (table: string): string =>
  `ORDER BY ${table}.ended_at_ms IS NOT NULL, ${table}.ended_at_ms DESC, ${table}.started_at_ms DESC, ${table}.task_id DESC`;

/** Tasks with a run that was under way in the span, and those that ended in it without one. Their figures are of all their runs. */
export function workedTasks(
  rows: Statements,
  span: DaySpan,
  of: Readonly<Partial<Record<Dimension, string>>>,
  limit: number,
): unknown[] {
  const { day, source, ...ofRun } = of;
  const values: SqlValue[] = [Date.parse(day ?? span.from), Date.parse(day ?? span.to) + dayMs];
  const mark = (value: SqlValue): string => `?${values.push(value)}`;
  const marks = Object.entries(ofRun).map(([key, value]) => [key as keyof typeof conditions, mark(value)] as const);
  const all = (made: typeof conditions): string => marks.map(([key, at]) => `AND ${made[key](at)}`).join(' ');
  const meantRuns = `runs WHERE started_at_ms < ?2 AND (runs.ended_at_ms IS NULL OR runs.ended_at_ms >= ?1) ${all(conditions)}`;
  const [meant] = rows.all(`SELECT count(*) AS runs FROM (SELECT 1 FROM ${meantRuns} LIMIT ${fewRuns + 1})`, values);
  const areFew = Number(meant?.['runs']) <= fewRuns;
  const endedWithoutRun = `(ended_at_ms >= ?1 AND ended_at_ms < ?2 ${all(withoutRun)}
    AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.task_id = tasks.task_id))`;
  const worked = areFew
    ? `task_id IN (SELECT task_id FROM ${meantRuns} UNION ALL SELECT task_id FROM tasks WHERE ${endedWithoutRun})`
    : `(EXISTS (SELECT 1 FROM ${meantRuns} AND runs.task_id = tasks.task_id) OR ${endedWithoutRun})`;
  const ofSource = source === undefined ? '' : `AND tasks.source_id = ${mark(source)}`;
  return rows
    .all(
      `WITH page AS (SELECT * FROM tasks WHERE ${worked} ${ofSource} ${orderOf('tasks')} LIMIT ${mark(limit)})
       SELECT page.*, ${usageColumns.map((column) => `ifnull(sum(runs.${column}), 0) AS ${column}`).join(', ')},
         ifnull(sum(runs.unpriced), 0) AS unpriced, ifnull(sum(runs.cost_usd), 0) AS cost_usd
       FROM page LEFT JOIN runs USING (task_id) GROUP BY page.task_id
       ${orderOf('page')}`,
      values,
    )
    .map(taskOf);
}
