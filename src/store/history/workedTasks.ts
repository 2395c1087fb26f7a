/** The tasks behind a row of sums. */
import type { SqlValue } from 'sql.js';
import type { DaySpan, Dimension } from '../../core/history';
import { usageColumns } from './migrations';
import { taskOf } from './rowShapes';
import type { Statements } from './statements';

const dayMs = 86_400_000;

/** What tells the runs of a row of sums; `?n` is its word. A model may be another than the one that a run began with. */
const conditions: Readonly<Record<Exclude<Dimension, 'day' | 'source'>, (mark: string) => string>> = {
  model: (mark) =>
    `(runs.model = ${mark} OR EXISTS (SELECT 1 FROM run_models AS used WHERE used.run_id = runs.run_id AND used.model = ${mark}))`,
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

/** Tasks with a run that was under way in the span, and those that ended in it without one. Their figures are of all their runs. */
export function workedTasks(
  rows: Statements,
  span: DaySpan,
  of: Readonly<Partial<Record<Dimension, string>>>,
  limit: number,
): unknown[] {
  const { day, source, ...ofRun } = of;
  const values: SqlValue[] = [Date.parse(day ?? span.from), Date.parse(day ?? span.to) + dayMs, limit];
  const mark = (value: string): string => `?${values.push(value)}`;
  const marks = Object.entries(ofRun).map(([key, value]) => [key as keyof typeof conditions, mark(value)] as const);
  const ofSource = source === undefined ? '' : `AND tasks.source_id = ${mark(source)}`;
  const all = (made: typeof conditions): string => marks.map(([key, at]) => `AND ${made[key](at)}`).join(' ');
  return rows
    .all(
      `WITH page AS (
         SELECT * FROM tasks WHERE (
           EXISTS (SELECT 1 FROM runs WHERE runs.task_id = tasks.task_id AND started_at_ms < ?2
             AND (runs.ended_at_ms IS NULL OR runs.ended_at_ms >= ?1) ${all(conditions)})
           OR (ended_at_ms >= ?1 AND ended_at_ms < ?2 ${all(withoutRun)}
             AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.task_id = tasks.task_id))
         ) ${ofSource}
         ORDER BY ended_at_ms IS NOT NULL, ended_at_ms DESC, started_at_ms DESC, task_id DESC LIMIT ?3
       )
       SELECT page.*, ${usageColumns.map((column) => `ifnull(sum(runs.${column}), 0) AS ${column}`).join(', ')},
         ifnull(sum(runs.unpriced), 0) AS unpriced, ifnull(sum(runs.cost_usd), 0) AS cost_usd
       FROM page LEFT JOIN runs USING (task_id) GROUP BY page.task_id
       ORDER BY page.ended_at_ms IS NOT NULL, page.ended_at_ms DESC, page.started_at_ms DESC, page.task_id DESC`,
      values,
    )
    .map(taskOf);
}
