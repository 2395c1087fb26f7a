import type { AirlockEvent } from '../../core/events';
import type { TokenUsage } from '../../core/usage';
import { addDailyUsage } from './dailyUsage';
import { addDailyOutcome, addDailyWork, addWorkOf } from './dailyWork';
import { usageColumns } from './migrations';
import { keysOfRequest } from './rowKeys';
import type { Statements } from './statements';

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

const usageList = usageColumns.join(', ');
const usageMarks = usageColumns.map(() => '?').join(', ');
/** `input_tokens = input_tokens + excluded.input_tokens, …`: adds a row to a rollup. */
const addExcludedUsage = usageColumns.map((column) => `${column} = ${column} + excluded.${column}`).join(', ');

/** The day in UTC, `YYYY-MM-DD`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Writes into the tables what an event says; rollups by day are kept as it comes. Kinds that no table holds are passed over. */
export function applyToRows(rows: Statements, event: AirlockEvent): void {
  switch (event.kind) {
    case 'task.queued':
      return queueTask(rows, event);
    case 'task.changed':
      return rows.run('UPDATE tasks SET repo = ?, priority = ? WHERE task_id = ?', [
        event.repo,
        event.priority,
        event.taskId,
      ]);
    case 'task.requeued':
      return rows.run(`UPDATE tasks SET outcome = NULL, ended_at_ms = NULL WHERE task_id = ?`, [event.taskId]);
    case 'task.ended':
      return endTask(rows, event);
    case 'task.landed':
    case 'task.discarded':
    case 'task.unlanded':
      return rows.run('UPDATE tasks SET settled = ? WHERE task_id = ?', [
        event.kind === 'task.unlanded' ? null : event.kind.slice('task.'.length),
        event.taskId,
      ]);
    case 'session.created':
      return rows.run(
        'INSERT OR REPLACE INTO sessions (session_id, run_id, proven, created_at_ms) VALUES (?, ?, ?, ?)',
        [event.sessionId, event.runId, event.proof.proven ? 1 : 0, event.atMs],
      );
    case 'session.closed':
      return closeSession(rows, event);
    default:
      applyRunEvent(rows, event);
      applyReportEvent(rows, event);
  }
}

function applyRunEvent(rows: Statements, event: AirlockEvent): void {
  switch (event.kind) {
    case 'run.started':
      return startRun(rows, event);
    case 'run.prepared':
      return rows.run('UPDATE runs SET base_commit = ? WHERE run_id = ?', [event.baseCommit, event.runId]);
    case 'run.continued':
      return continueRun(rows, event);
    case 'run.ended':
      return endRun(rows, event);
    case 'evidence.recorded':
      return rows.run('UPDATE runs SET verdict = ?, rounds = ? WHERE run_id = ?', [
        event.verdict,
        event.round + 1,
        event.runId,
      ]);
    case 'result.published':
      return rows.run(
        `UPDATE runs SET branch = ?, commit_id = ?, files_changed = ?, insertions = ?, deletions = ? WHERE run_id = ?`,
        [event.branch, event.commit, event.filesChanged, event.insertions, event.deletions, event.runId],
      );
    case 'usage.recorded':
      return recordUsage(rows, event);
    case 'request.retried':
      return addDailyWork(rows, dayOf(event.atMs), event.runId, { retries: 1 });
    case 'check.finished':
      return recordCheck(rows, event);
    case 'message.recorded':
      return rows.run('INSERT OR REPLACE INTO messages (run_id, position, role, blob, at_ms) VALUES (?, ?, ?, ?, ?)', [
        event.runId,
        event.index,
        event.role,
        event.blob,
        event.atMs,
      ]);
    default:
      return;
  }
}

function applyReportEvent(rows: Statements, event: AirlockEvent): void {
  switch (event.kind) {
    case 'report.queued': {
      const { reportId, taskId, sourceId, externalId, kind, body } = event.report;
      return rows.run(
        `INSERT OR REPLACE INTO reports (report_id, task_id, source_id, external_id, kind, body, status, queued_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?)`,
        [reportId, taskId, sourceId, externalId, kind, body, event.atMs],
      );
    }
    case 'report.sending':
      return rows.run(`UPDATE reports SET status = 'sending', attempts = ? WHERE report_id = ?`, [
        event.attempt,
        event.reportId,
      ]);
    case 'report.postponed':
      return rows.run(`UPDATE reports SET status = 'waiting', error = ? WHERE report_id = ?`, [
        event.error,
        event.reportId,
      ]);
    case 'report.acknowledged':
      return rows.run(`UPDATE reports SET status = 'acknowledged', error = '', settled_at_ms = ? WHERE report_id = ?`, [
        event.atMs,
        event.reportId,
      ]);
    case 'report.dead':
      return rows.run(`UPDATE reports SET status = 'dead', error = ?, settled_at_ms = ? WHERE report_id = ?`, [
        event.error,
        event.atMs,
        event.reportId,
      ]);
    default:
      return;
  }
}

function queueTask(rows: Statements, { taskId, spec, atMs }: EventOf<'task.queued'>): void {
  const { title, priority, persona, repo, origin } = spec;
  rows.run(
    `INSERT OR REPLACE INTO tasks (task_id, title, priority, persona, repo, source_id, external_id, queued_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [taskId, title, priority, persona, repo, origin.sourceId, origin.externalId, atMs],
  );
}

function endTask(rows: Statements, event: EventOf<'task.ended'>): void {
  rows.run('UPDATE tasks SET outcome = ?, reason = ?, ended_at_ms = ? WHERE task_id = ?', [
    event.outcome,
    event.reason,
    event.atMs,
    event.taskId,
  ]);
  rows.run('INSERT INTO daily_tasks VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET tasks = tasks + 1', [
    dayOf(event.atMs),
    event.outcome,
  ]);
  addDailyOutcome(rows, dayOf(event.atMs), event);
}

function closeSession(rows: Statements, { sessionId, atMs, reason, breach }: EventOf<'session.closed'>): void {
  const [open] = rows.all('SELECT run_id, created_at_ms FROM sessions WHERE session_id = ? AND closed_at_ms IS NULL', [
    sessionId,
  ]);
  rows.run('UPDATE sessions SET closed_at_ms = ?, reason = ?, breach = ? WHERE session_id = ?', [
    atMs,
    reason,
    breach,
    sessionId,
  ]);
  if (!open) return;
  const sessionMs = Math.max(0, atMs - Number(open['created_at_ms']));
  addDailyWork(rows, dayOf(atMs), String(open['run_id']), { sessions: 1, session_ms: sessionMs });
}

function startRun(rows: Statements, event: EventOf<'run.started'>): void {
  const { runId, taskId, attempt, repo, engine, model, persona, atMs } = event;
  rows.run(
    `INSERT OR REPLACE INTO runs (run_id, task_id, attempt, repo, engine, model, persona, started_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [runId, taskId, attempt, repo, engine, model, persona, atMs],
  );
  const [task] = rows.all('SELECT queued_at_ms, started_at_ms FROM tasks WHERE task_id = ?', [taskId]);
  const isFirst = task !== undefined && task['started_at_ms'] === null;
  const waitMs = isFirst ? Math.max(0, atMs - Number(task['queued_at_ms'])) : 0;
  rows.run('UPDATE tasks SET attempts = ?, started_at_ms = ifnull(started_at_ms, ?) WHERE task_id = ?', [
    attempt,
    atMs,
    taskId,
  ]);
  rows.run(
    `INSERT INTO daily_starts VALUES (?, 1, ?)
     ON CONFLICT DO UPDATE SET runs = runs + 1, queue_wait_ms = queue_wait_ms + excluded.queue_wait_ms`,
    [dayOf(atMs), waitMs],
  );
  addDailyWork(rows, dayOf(atMs), runId, { runs_started: 1, waits: isFirst ? 1 : 0, queue_wait_ms: waitMs });
}

function endRun(rows: Statements, event: EventOf<'run.ended'>): void {
  const { runId, outcome, reason, atMs } = event;
  rows.run(
    `INSERT INTO daily_runs (day, outcome, runs, unpriced, cost_usd, run_ms, ${usageList})
     SELECT ?, ?, 1, min(unpriced, 1), cost_usd, max(0, ? - started_at_ms), ${usageList}
     FROM runs WHERE run_id = ? AND ended_at_ms IS NULL
     ON CONFLICT DO UPDATE SET runs = runs + 1, unpriced = unpriced + excluded.unpriced,
       cost_usd = cost_usd + excluded.cost_usd, run_ms = run_ms + excluded.run_ms, ${addExcludedUsage}`,
    [dayOf(atMs), outcome, atMs, runId],
  );
  const [run] = rows.all('SELECT started_at_ms FROM runs WHERE run_id = ? AND ended_at_ms IS NULL', [runId]);
  if (run) {
    const runMs = Math.max(0, atMs - Number(run['started_at_ms']));
    addDailyWork(rows, dayOf(atMs), runId, { runs_ended: 1, run_ms: runMs });
  }
  rows.run('UPDATE runs SET outcome = ?, reason = ?, ended_at_ms = ? WHERE run_id = ?', [outcome, reason, atMs, runId]);
}

/** What was counted at its end is taken back: it is counted again, whole, at its next one. The time between is no time of the run's. */
function continueRun(rows: Statements, { runId, attempt, atMs }: EventOf<'run.continued'>): void {
  const [run] = rows.all('SELECT started_at_ms, ended_at_ms FROM runs WHERE run_id = ? AND ended_at_ms IS NOT NULL', [
    runId,
  ]);
  if (!run) return;
  const endedAtMs = Number(run['ended_at_ms']);
  rows.run(
    `INSERT INTO daily_runs (day, outcome, runs, unpriced, cost_usd, run_ms, ${usageList})
     SELECT ?, outcome, -1, -min(unpriced, 1), -cost_usd, -max(0, ended_at_ms - started_at_ms),
       ${usageColumns.map((column) => `-${column}`).join(', ')}
     FROM runs WHERE run_id = ?
     ON CONFLICT DO UPDATE SET runs = runs + excluded.runs, unpriced = unpriced + excluded.unpriced,
       cost_usd = cost_usd + excluded.cost_usd, run_ms = run_ms + excluded.run_ms, ${addExcludedUsage}`,
    [dayOf(endedAtMs), runId],
  );
  const runMs = Math.max(0, endedAtMs - Number(run['started_at_ms']));
  addDailyWork(rows, dayOf(endedAtMs), runId, { runs_ended: -1, run_ms: -runMs });
  rows.run(
    `UPDATE runs SET attempt = ?, outcome = NULL, reason = '', ended_at_ms = NULL, started_at_ms = started_at_ms + ?
     WHERE run_id = ?`,
    [attempt, Math.max(0, atMs - endedAtMs), runId],
  );
}

function recordUsage(rows: Statements, event: EventOf<'usage.recorded'>): void {
  const { seq, atMs, runId, model, costUsd } = event;
  const tokens = usageValues(event.usage);
  const unpriced = costUsd === null ? 1 : 0;
  rows.run(
    `INSERT OR REPLACE INTO usage (seq, at_ms, run_id, model, cost_usd, ${usageList}) VALUES (?, ?, ?, ?, ?, ${usageMarks})`,
    [seq, atMs, runId, model, costUsd, ...tokens],
  );
  const [day, keys] = [dayOf(atMs), keysOfRequest(rows, runId, model)];
  addDailyUsage(rows, { day, keys, costUsd, tokens });
  rows.run('INSERT OR IGNORE INTO run_models VALUES (?, ?)', [runId, model]);
  const { firstTokenMs } = event;
  if (firstTokenMs !== undefined) addWorkOf(rows, day, keys, { first_tokens: 1, first_token_ms: firstTokenMs });
  rows.run(
    `UPDATE runs SET requests = requests + 1, unpriced = unpriced + ?, cost_usd = cost_usd + ?,
       ${usageColumns.map((column) => `${column} = ${column} + ?`).join(', ')} WHERE run_id = ?`,
    [unpriced, costUsd ?? 0, ...tokens, runId],
  );
}

function recordCheck(rows: Statements, event: EventOf<'check.finished'>): void {
  const { command, on, tree, exitCode, endedBy, output, outputBytes, durationMs } = event.result;
  rows.run(
    `INSERT OR REPLACE INTO checks (seq, at_ms, run_id, round, command, subject, tree, exit_code, ended_by, output,
       output_bytes, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      event.seq,
      event.atMs,
      event.runId,
      event.round,
      command,
      on,
      tree,
      exitCode,
      endedBy,
      output,
      outputBytes,
      durationMs,
    ],
  );
}

function usageValues(usage: TokenUsage): number[] {
  return [
    usage.inputTokens,
    usage.outputTokens,
    usage.cacheWrite5mTokens,
    usage.cacheWrite1hTokens,
    usage.cacheReadTokens,
  ];
}
