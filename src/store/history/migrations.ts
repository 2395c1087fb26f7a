import type { Database } from 'sql.js';
import type { TaskOutcome } from '../../core/task';

/** The columns of a `TokenUsage`, in the order of `usageValues`. */
export const usageColumns = [
  'input_tokens',
  'output_tokens',
  'cache_write_5m_tokens',
  'cache_write_1h_tokens',
  'cache_read_tokens',
] as const;

const usageDefinition = usageColumns.map((column) => `${column} INTEGER NOT NULL DEFAULT 0`).join(', ');

const firstSchema = `
  CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    segment INTEGER NOT NULL, byte_offset INTEGER NOT NULL, hash TEXT NOT NULL, seq INTEGER NOT NULL
  );
  CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY, title TEXT NOT NULL, priority INTEGER NOT NULL, persona TEXT, repo TEXT,
    source_id TEXT NOT NULL, external_id TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT, reason TEXT NOT NULL DEFAULT '', settled TEXT,
    queued_at_ms REAL NOT NULL, started_at_ms REAL, ended_at_ms REAL
  );
  CREATE INDEX tasks_by_end ON tasks (ended_at_ms);
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, task_id TEXT NOT NULL, attempt INTEGER NOT NULL, repo TEXT NOT NULL,
    engine TEXT NOT NULL, model TEXT NOT NULL, persona TEXT NOT NULL,
    base_commit TEXT, verdict TEXT, rounds INTEGER NOT NULL DEFAULT 0, branch TEXT, commit_id TEXT,
    files_changed INTEGER NOT NULL DEFAULT 0, insertions INTEGER NOT NULL DEFAULT 0,
    deletions INTEGER NOT NULL DEFAULT 0, outcome TEXT, reason TEXT NOT NULL DEFAULT '',
    started_at_ms REAL NOT NULL, ended_at_ms REAL,
    requests INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0, cost_usd REAL NOT NULL DEFAULT 0,
    ${usageDefinition}
  );
  CREATE INDEX runs_by_task ON runs (task_id);
  CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, proven INTEGER NOT NULL, created_at_ms REAL NOT NULL,
    closed_at_ms REAL, reason TEXT NOT NULL DEFAULT '', breach TEXT
  );
  CREATE TABLE usage (
    seq INTEGER PRIMARY KEY, at_ms REAL NOT NULL, run_id TEXT NOT NULL, model TEXT NOT NULL, cost_usd REAL,
    ${usageDefinition}
  );
  CREATE TABLE checks (
    seq INTEGER PRIMARY KEY, at_ms REAL NOT NULL, run_id TEXT NOT NULL, round INTEGER NOT NULL,
    command TEXT NOT NULL, subject TEXT NOT NULL, tree TEXT NOT NULL, exit_code INTEGER, ended_by TEXT,
    output TEXT NOT NULL, output_bytes INTEGER NOT NULL, duration_ms REAL NOT NULL
  );
  CREATE INDEX checks_by_run ON checks (run_id);
  CREATE TABLE messages (
    run_id TEXT NOT NULL, position INTEGER NOT NULL, role TEXT NOT NULL, blob TEXT NOT NULL, at_ms REAL NOT NULL,
    PRIMARY KEY (run_id, position)
  ) WITHOUT ROWID;
  CREATE TABLE reports (
    report_id TEXT PRIMARY KEY, task_id TEXT NOT NULL, source_id TEXT NOT NULL, external_id TEXT NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '', queued_at_ms REAL NOT NULL, settled_at_ms REAL
  );
  CREATE TABLE daily_models (
    day TEXT NOT NULL, model TEXT NOT NULL, requests INTEGER NOT NULL DEFAULT 0,
    unpriced INTEGER NOT NULL DEFAULT 0, cost_usd REAL NOT NULL DEFAULT 0, ${usageDefinition},
    PRIMARY KEY (day, model)
  ) WITHOUT ROWID;
  CREATE TABLE daily_tasks (
    day TEXT NOT NULL, outcome TEXT NOT NULL, tasks INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (day, outcome)
  ) WITHOUT ROWID;
  CREATE TABLE daily_starts (
    day TEXT PRIMARY KEY, runs INTEGER NOT NULL DEFAULT 0, queue_wait_ms REAL NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE TABLE daily_runs (
    day TEXT NOT NULL, outcome TEXT NOT NULL, runs INTEGER NOT NULL DEFAULT 0,
    unpriced INTEGER NOT NULL DEFAULT 0, cost_usd REAL NOT NULL DEFAULT 0, run_ms REAL NOT NULL DEFAULT 0,
    ${usageDefinition},
    PRIMARY KEY (day, outcome)
  ) WITHOUT ROWID;
`;

/** Columns of `daily_usage` beside the day and the sums. */
export const usageKeys = ['model', 'engine', 'persona', 'source_id', 'repo'] as const;

const sums = ['requests', 'unpriced', 'cost_usd', ...usageColumns];

/** Spending by day and by whatever it is asked by, so that a row for each request need not be kept. */
const dailyUsage = `
  CREATE TABLE daily_usage (
    day TEXT NOT NULL, ${usageKeys.map((key) => `${key} TEXT NOT NULL`).join(', ')},
    requests INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0, cost_usd REAL NOT NULL DEFAULT 0,
    ${usageDefinition}, PRIMARY KEY (day, ${usageKeys.join(', ')})
  ) WITHOUT ROWID;
  INSERT INTO daily_usage
    SELECT strftime('%Y-%m-%d', usage.at_ms / 1000, 'unixepoch'), usage.model, ifnull(runs.engine, ''),
      ifnull(runs.persona, ''), ifnull(tasks.source_id, ''), ifnull(runs.repo, ''),
      count(*), sum(usage.cost_usd IS NULL), ifnull(sum(usage.cost_usd), 0),
      ${usageColumns.map((column) => `sum(usage.${column})`).join(', ')}
    FROM usage LEFT JOIN runs USING (run_id) LEFT JOIN tasks USING (task_id)
    GROUP BY 1, 2, 3, 4, 5, 6;
  DROP TABLE daily_models;
  CREATE VIEW daily_models AS
    SELECT day, model, ${sums.map((column) => `sum(${column}) AS ${column}`).join(', ')}
    FROM daily_usage GROUP BY day, model;
  CREATE INDEX usage_by_time ON usage (at_ms);
  CREATE INDEX messages_by_time ON messages (at_ms);
`;

/** What `daily_work` sums up by the same keys. */
export const workSums = [
  'runs_started',
  /** Tasks that started for the first time, and how long they had been queued, together. */
  'waits',
  'queue_wait_ms',
  'runs_ended',
  'run_ms',
  'sessions',
  'session_ms',
  'retries',
  /** Requests of which it was seen when their answer began, and how long that took, together. */
  'first_tokens',
  'first_token_ms',
] as const;

const keyDefinition = usageKeys.map((key) => `${key} TEXT NOT NULL`).join(', ');
const keysOfRun = `runs.model, runs.engine, runs.persona, ifnull(tasks.source_id, ''), runs.repo`;
const dayOfColumn = (column: string): string => `strftime('%Y-%m-%d', ${column} / 1000, 'unixepoch')`;
/** Adds rows of the past to `daily_work`. */
const workOfPast = (day: string, sums: Partial<Record<(typeof workSums)[number], string>>, from: string): string => `
  INSERT INTO daily_work (day, ${usageKeys.join(', ')}, ${Object.keys(sums).join(', ')})
    SELECT ${dayOfColumn(day)}, ${keysOfRun}, ${Object.values(sums).join(', ')} FROM ${from}
    GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT DO UPDATE SET ${Object.keys(sums)
      .map((sum) => `${sum} = ${sum} + excluded.${sum}`)
      .join(', ')};`;
const runsAndTasks = 'runs LEFT JOIN tasks USING (task_id)';

/**
 * Work by day and by whatever it is asked by. Of the past it has what the other tables still tell: no retries, and of a task that
 * ended several times an ending for each of its runs.
 */
const dailyWork = `
  CREATE TABLE daily_work (
    day TEXT NOT NULL, ${keyDefinition}, ${workSums.map((sum) => `${sum} REAL NOT NULL DEFAULT 0`).join(', ')},
    PRIMARY KEY (day, ${usageKeys.join(', ')})
  ) WITHOUT ROWID;
  CREATE TABLE daily_outcomes (
    day TEXT NOT NULL, ${keyDefinition}, outcome TEXT NOT NULL, tasks INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, ${usageKeys.join(', ')}, outcome)
  ) WITHOUT ROWID;
  CREATE TABLE run_models (run_id TEXT NOT NULL, model TEXT NOT NULL, PRIMARY KEY (run_id, model)) WITHOUT ROWID;
  INSERT INTO run_models SELECT DISTINCT run_id, model FROM usage;
  ${workOfPast('runs.started_at_ms', { runs_started: 'count(*)' }, `${runsAndTasks} WHERE true`)}
  ${workOfPast(
    'tasks.started_at_ms',
    { waits: 'count(*)', queue_wait_ms: 'sum(max(0, tasks.started_at_ms - tasks.queued_at_ms))' },
    `${runsAndTasks} WHERE tasks.started_at_ms IS NOT NULL AND runs.started_at_ms = tasks.started_at_ms`,
  )}
  ${workOfPast(
    'runs.ended_at_ms',
    { runs_ended: 'count(*)', run_ms: 'sum(max(0, runs.ended_at_ms - runs.started_at_ms))' },
    `${runsAndTasks} WHERE runs.ended_at_ms IS NOT NULL`,
  )}
  ${workOfPast(
    'sessions.closed_at_ms',
    { sessions: 'count(*)', session_ms: 'sum(max(0, closed_at_ms - created_at_ms))' },
    `sessions JOIN runs USING (run_id) LEFT JOIN tasks USING (task_id) WHERE sessions.closed_at_ms IS NOT NULL`,
  )}
  INSERT INTO daily_outcomes
    SELECT ${dayOfColumn('runs.ended_at_ms')}, ${keysOfRun}, runs.outcome, count(*)
    FROM ${runsAndTasks} WHERE runs.ended_at_ms IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7;
  INSERT INTO daily_outcomes
    SELECT ${dayOfColumn('ended_at_ms')}, '', '', ifnull(persona, ''), source_id, ifnull(repo, ''), outcome, count(*)
    FROM tasks WHERE ended_at_ms IS NOT NULL AND task_id NOT IN (SELECT task_id FROM runs) GROUP BY 1, 4, 5, 6, 7;
`;

/** The columns of `daily_sums` that count endings of tasks. Another outcome needs a step that adds its column. */
export const outcomeSums = {
  verified: 'tasks_verified',
  partial: 'tasks_partial',
  unchecked: 'tasks_unchecked',
  contradicted: 'tasks_contradicted',
  failed: 'tasks_failed',
  cancelled: 'tasks_cancelled',
} as const satisfies Record<TaskOutcome, string>;

const workDefinition = [...workSums, ...Object.values(outcomeSums)]
  .map((sum) => `${sum} REAL NOT NULL DEFAULT 0`)
  .join(', ');
const staleAfter = (change: 'INSERT' | 'UPDATE', table: string): string => `
  CREATE TRIGGER ${table}_${change.toLowerCase()}_makes_stale AFTER ${change} ON ${table} BEGIN
    INSERT INTO stale_days VALUES (new.day) ON CONFLICT DO NOTHING;
  END;`;
const summedTables = ['daily_usage', 'daily_work', 'daily_outcomes'];

/**
 * The sums of each day by one dimension alone, for a page that shows a year of them: the tables by all dimensions have a row for nearly each
 * run. They are made of those tables when they are asked for, of the days in `stale_days` alone. The indexes let a page of tasks end early.
 */
const sumsByOne = `
  CREATE TABLE daily_sums (
    dimension TEXT NOT NULL, day TEXT NOT NULL, key TEXT NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0, cost_usd REAL NOT NULL DEFAULT 0,
    ${usageDefinition}, ${workDefinition}, PRIMARY KEY (dimension, day, key)
  ) WITHOUT ROWID;
  CREATE TABLE stale_days (day TEXT PRIMARY KEY) WITHOUT ROWID;
  INSERT INTO stale_days ${summedTables.map((table) => `SELECT day FROM ${table}`).join(' UNION ')};
  ${summedTables.map((table) => staleAfter('INSERT', table) + staleAfter('UPDATE', table)).join('')}
  CREATE INDEX tasks_in_order ON tasks (ended_at_ms IS NOT NULL, ended_at_ms DESC, started_at_ms DESC, task_id DESC);
  CREATE INDEX runs_by_end ON runs (ended_at_ms, started_at_ms, task_id);
`;

/** The steps of the database's schema. A step is never changed; a new one is added behind it. */
export const migrations: readonly string[] = [firstSchema, dailyUsage, dailyWork, sumsByOne];

/** Thrown when a database has seen more steps than this version knows. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
  constructor(readonly version: number) {
    super(`the database has schema ${version}, and this version knows up to ${migrations.length}`);
  }
}

/**
 * Brings a database, new or old, to the last step; each step happens as a whole or not at all.
 * @throws {NewerSchemaError}
 */
export function migrate(database: Database, steps: readonly string[] = migrations): void {
  database.run('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)');
  const version = Number(database.exec('SELECT max(version) FROM schema_version')[0]?.values[0]?.[0] ?? 0);
  if (version > steps.length) throw new NewerSchemaError(version);
  steps.slice(version).forEach((step, index) => {
    database.run('BEGIN');
    try {
      database.run(step);
      database.run('INSERT INTO schema_version VALUES (?)', [version + index + 1]);
      database.run('COMMIT');
    } catch (error) {
      database.run('ROLLBACK');
      throw error;
    }
  });
}
