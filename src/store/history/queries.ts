import type { SqlValue } from 'sql.js';
import { assertNever } from '../../base/errors';
import { type HistoryAnswer, historyAnswerSchema, type HistoryQuery } from '../../core/history';
import { dayOf } from './eventRows';
import { usageColumns } from './migrations';
import { knownCost, spendOf, sumOfSpend, sumOfUsage, taskOf, usageOf } from './rowShapes';
import type { Row, Statements } from './statements';
import { sums } from './sumQuery';
import { workedTasks } from './workedTasks';

const dayMs = 86_400_000;
const spendColumns = ['requests', 'unpriced', 'cost_usd', ...usageColumns]
  .map((column) => `spend.${column}`)
  .join(', ');

/** Answers a question from the tables; `nowMs` is what the last days are counted from. */
export function answerFrom(rows: Statements, query: HistoryQuery, nowMs: number): HistoryAnswer {
  return historyAnswerSchema.parse({ kind: query.kind, rows: rowsOf(rows, query, nowMs) });
}

function rowsOf(rows: Statements, query: HistoryQuery, nowMs: number): unknown[] {
  switch (query.kind) {
    case 'daily':
      return daily(rows, firstDay(query.days, nowMs));
    case 'byModel':
      return rows
        .all(
          `SELECT model, ${sumOfSpend} FROM daily_models WHERE day >= ? GROUP BY model ORDER BY cost_usd DESC, model`,
          [firstDay(query.days, nowMs)],
        )
        .map((row) => ({ model: row['model'], ...spendOf(row) }));
    case 'byOutcome':
      return byOutcome(rows, firstDay(query.days, nowMs));
    case 'sums':
      return sums(rows, query.span, query.by);
    case 'tasksOf':
      return workedTasks(rows, query.span, query.of, query.limit);
    case 'tasks':
      return endedTasks(rows, query.limit, query.beforeMs ?? null);
    case 'runs':
      return rows
        .all('SELECT * FROM runs WHERE task_id = ? ORDER BY attempt, started_at_ms', [query.taskId])
        .map(runOf);
    default:
      return assertNever(query);
  }
}

function firstDay(days: number, nowMs: number): string {
  return dayOf(nowMs - (days - 1) * dayMs);
}

function daily(rows: Statements, since: string): unknown[] {
  const outcomes = new Map<string, Record<string, SqlValue>>();
  for (const row of rows.all('SELECT day, outcome, tasks FROM daily_tasks WHERE day >= ?', [since])) {
    const day = String(row['day']);
    outcomes.set(day, { ...outcomes.get(day), [String(row['outcome'])]: row['tasks'] ?? 0 });
  }
  return rows
    .all(
      `WITH days AS (
         SELECT day FROM daily_models UNION SELECT day FROM daily_tasks
         UNION SELECT day FROM daily_starts UNION SELECT day FROM daily_runs
       ), spend AS (SELECT day, ${sumOfSpend} FROM daily_models GROUP BY day),
       ended AS (SELECT day, sum(runs) AS runs_ended, sum(run_ms) AS run_ms FROM daily_runs GROUP BY day)
       SELECT days.day AS day, ${spendColumns}, starts.runs AS runs_started, starts.queue_wait_ms, ended.runs_ended, ended.run_ms
       FROM days LEFT JOIN spend USING (day) LEFT JOIN daily_starts AS starts USING (day) LEFT JOIN ended USING (day)
       WHERE days.day >= ? ORDER BY days.day`,
      [since],
    )
    .map((row) => ({
      ...spendOf(row),
      day: row['day'],
      outcomes: outcomes.get(String(row['day'])) ?? {},
      runsStarted: row['runs_started'] ?? 0,
      queueWaitMs: row['queue_wait_ms'] ?? 0,
      runsEnded: row['runs_ended'] ?? 0,
      runMs: row['run_ms'] ?? 0,
    }));
}

function byOutcome(rows: Statements, since: string): unknown[] {
  return rows
    .all(
      `SELECT outcome, sum(runs) AS runs, sum(unpriced) AS unpriced, sum(cost_usd) AS cost_usd, sum(run_ms) AS run_ms,
         ${sumOfUsage} FROM daily_runs WHERE day >= ? GROUP BY outcome ORDER BY runs DESC, outcome`,
      [since],
    )
    .map((row) => ({
      outcome: row['outcome'],
      runs: row['runs'],
      usage: usageOf(row),
      costUsd: row['cost_usd'],
      unpriced: row['unpriced'],
      runMs: row['run_ms'],
    }));
}

function endedTasks(rows: Statements, limit: number, beforeMs: number | null): unknown[] {
  return rows
    .all(
      `WITH page AS (
         SELECT * FROM tasks WHERE ended_at_ms IS NOT NULL AND (?1 IS NULL OR ended_at_ms < ?1)
         ORDER BY ended_at_ms DESC, task_id DESC LIMIT ?2
       )
       SELECT page.*, ${usageColumns.map((column) => `ifnull(sum(runs.${column}), 0) AS ${column}`).join(', ')},
         ifnull(sum(runs.unpriced), 0) AS unpriced, ifnull(sum(runs.cost_usd), 0) AS cost_usd
       FROM page LEFT JOIN runs USING (task_id) GROUP BY page.task_id
       ORDER BY page.ended_at_ms DESC, page.task_id DESC`,
      [beforeMs, limit],
    )
    .map(taskOf);
}

function runOf(row: Row): unknown {
  return {
    runId: row['run_id'],
    taskId: row['task_id'],
    attempt: row['attempt'],
    engine: row['engine'],
    model: row['model'],
    outcome: row['outcome'],
    reason: row['reason'],
    branch: row['branch'],
    commit: row['commit_id'],
    usage: usageOf(row),
    costUsd: knownCost(row),
    startedAtMs: row['started_at_ms'],
    endedAtMs: row['ended_at_ms'],
  };
}
