import assert from 'node:assert/strict';
import fc from 'fast-check';
import initSqlJs, { type SqlJsStatic } from 'sql.js';
import type { EventBody } from '../../../src/core/events';
import { type DaySpan, type Dimension, dimensions, type HistoryAnswer, type SumRow } from '../../../src/core/history';
import { taskOutcomes } from '../../../src/core/task';
import { applyToRows } from '../../../src/store/history/eventRows';
import { migrate } from '../../../src/store/history/migrations';
import { answerFrom } from '../../../src/store/history/queries';
import { type Row, Statements } from '../../../src/store/history/statements';
import { eventBody } from '../core/arbitraryEvents';
import { queued, runStarted, sampleUsage } from '../core/sampleEvents';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const firstMs = Date.UTC(2026, 0, 1);
const always: DaySpan = { from: '1970-01-01', to: '2199-12-31' };

type AnswerOf<K extends HistoryAnswer['kind']> = Extract<HistoryAnswer, { readonly kind: K }>['rows'];

describe('the questions of the history, on random events', function () {
  this.timeout(60_000);
  let sql: SqlJsStatic;
  before(async () => (sql = await initSqlJs()));

  function newTables(): Statements {
    const database = new sql.Database();
    migrate(database);
    return new Statements(database);
  }

  it('has in its sums by one dimension what those by all of them have, whenever it is asked', () => {
    const timed = fc.record({ hour: fc.nat({ max: 24 * 9 }), body: eventBody });
    fc.assert(
      fc.property(
        fc.array(fc.array(timed, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 5 }),
        (groups) => {
          const rows = newTables();
          let seq = 0;
          for (const group of groups) {
            for (const { hour, body } of group) apply(rows, (seq += 1), firstMs + hour * hourMs, body);
            for (const span of [always, { from: '2026-01-03', to: '2026-01-06' }]) {
              const everything = sumsOf(rows, span, dimensions);
              for (const by of dimensions) {
                assert.deepEqual(byKey(sumsOf(rows, span, [by])), byKey(addUp(everything, by)), by);
              }
            }
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('lists the tasks that a look at every run finds, in their order, be they few or many', () => {
    fc.assert(
      fc.property(fc.noShrink(fc.array(workedTask, { minLength: 1500, maxLength: 1500 })), (tasks) => {
        const rows = newTables();
        fill(rows, tasks);
        const year = { from: '2026-01-01', to: '2026-12-31' };
        const spring = { from: '2026-03-01', to: '2026-05-31' };
        const asked: [DaySpan, Partial<Record<Dimension, string>>][] = [
          [always, {}],
          [year, {}],
          [spring, {}],
          [{ from: '2026-04-01', to: '2026-04-01' }, {}],
          ...[...words, '', 'nobody'].flatMap((word) =>
            dimensions
              .filter((dimension) => dimension !== 'day')
              .flatMap((dimension): typeof asked => [
                [year, { [dimension]: word }],
                [spring, { [dimension]: word }],
              ]),
          ),
          [year, { day: '2026-04-02', persona: 'a' }],
          [year, { model: 'b', source: 'a', repository: 'a' }],
        ];
        const look = lookAtEach(rows);
        for (const [span, of] of asked) {
          const found = tasksOf(rows, span, of, 300).map(({ taskId, costUsd }) => [taskId, costUsd]);
          assert.deepEqual(found, look(span, of).slice(0, 300), JSON.stringify([span, of]));
        }
      }),
      { numRuns: 1 },
    );
  });
});

function apply(rows: Statements, seq: number, atMs: number, body: EventBody): void {
  applyToRows(rows, { seq, atMs, v: 1, ...body });
}

function sumsOf(rows: Statements, span: DaySpan, by: readonly Dimension[]): AnswerOf<'sums'> {
  const answer = answerFrom(rows, { kind: 'sums', span, by: [...by] }, firstMs);
  assert.ok(answer.kind === 'sums');
  return answer.rows;
}

function tasksOf(
  rows: Statements,
  span: DaySpan,
  of: Partial<Record<Dimension, string>>,
  limit: number,
): AnswerOf<'tasksOf'> {
  const answer = answerFrom(rows, { kind: 'tasksOf', span, of, limit }, firstMs);
  assert.ok(answer.kind === 'tasksOf');
  return answer.rows;
}

/** Adds up the rows with the same word in one dimension. */
function addUp(rows: readonly SumRow[], by: Dimension): SumRow[] {
  const found = new Map<string, SumRow>();
  for (const row of rows) {
    const key = row.keys[by] ?? '';
    const before = found.get(key);
    found.set(key, { ...(before ? (added(before, row) as SumRow) : row), keys: { [by]: key } });
  }
  return [...found.values()];
}

/** Numbers are added, and in what has numbers each of them. */
function added(one: unknown, other: unknown): unknown {
  if (typeof one !== 'object' && typeof other !== 'object') return Number(one ?? 0) + Number(other ?? 0);
  const [left, right] = [one ?? {}, other ?? {}] as [Record<string, unknown>, Record<string, unknown>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)].filter((key) => key !== 'keys'));
  return Object.fromEntries([...keys].map((key) => [key, added(left[key], right[key])]));
}

/** Dollars are rounded: it depends on the order of adding them what their last digit is, and with it the order of equals. */
function byKey(rows: readonly SumRow[]): unknown[] {
  const keyOf = ({ keys }: SumRow): string => JSON.stringify(keys);
  return rows
    .map((row) => ({ ...row, costUsd: Math.round(row.costUsd * 1e6) }))
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

const words = ['a', 'b', 'c'];
const word = fc.constantFrom(...words);
const maybe = fc.option(word, { nil: null });
/** Whole hours of a year, so that some things happen at the same time. */
const hours = (days: number): fc.Arbitrary<number> => fc.nat({ max: 24 * days });
const workedTask = fc.record({
  queuedAt: hours(365),
  source: word,
  repo: maybe,
  persona: maybe,
  runs: fc.array(
    fc.record({
      after: hours(3),
      takes: fc.option(hours(40), { nil: null }),
      engine: word,
      model: word,
      answeredBy: word,
      persona: word,
      repo: word,
    }),
    { maxLength: 3 },
  ),
  outcome: fc.option(fc.constantFrom(...taskOutcomes), { nil: null }),
  endsAfter: hours(60),
});
type WorkedTask = typeof workedTask extends fc.Arbitrary<infer T> ? T : never;

function fill(rows: Statements, tasks: readonly WorkedTask[]): void {
  let seq = 0;
  const happened = (hour: number, body: EventBody): void => apply(rows, (seq += 1), firstMs + hour * hourMs, body);
  tasks.forEach((task, index) => {
    const taskId = `task-${index}`;
    const { queuedAt, source, repo, persona, outcome } = task;
    happened(queuedAt, queued(taskId, { repo, persona, origin: { sourceId: source, externalId: taskId } }));
    task.runs.forEach(({ after, takes, answeredBy, engine, model, persona: by, repo: where }, attempt) => {
      const runId = `${taskId}-${attempt}`;
      const keys = { engine, model, persona: by, repo: where };
      happened(queuedAt + after, { ...runStarted(runId, taskId, attempt + 1), ...keys });
      happened(queuedAt + after, {
        kind: 'usage.recorded',
        runId,
        model: answeredBy,
        usage: sampleUsage,
        costUsd: 0.25 * (attempt + 1),
      });
      if (takes !== null)
        happened(queuedAt + after + takes, { kind: 'run.ended', runId, outcome: 'failed', reason: '' });
    });
    if (outcome) happened(queuedAt + task.endsAfter, { kind: 'task.ended', taskId, outcome, reason: '', runId: null });
  });
}

/** Finds every task that a question means, in order, with what its runs have cost. */
function lookAtEach(
  rows: Statements,
): (span: DaySpan, of: Partial<Record<Dimension, string>>) => (readonly [unknown, number])[] {
  const usedModels = new Map<unknown, unknown[]>();
  for (const { run_id: runId, model } of rows.all('SELECT * FROM run_models', []))
    usedModels.set(runId, [...(usedModels.get(runId) ?? []), model]);
  const runsOf = new Map<unknown, Row[]>();
  for (const run of rows.all('SELECT * FROM runs', []))
    runsOf.set(run['task_id'], [...(runsOf.get(run['task_id']) ?? []), run]);
  const tasks = rows.all('SELECT * FROM tasks', []).sort(inOrder);
  const costOf = (runs: readonly Row[]): number => runs.reduce((sum, run) => sum + Number(run['cost_usd']), 0);
  return (span, of) => {
    const meant = meantBy(span, of, usedModels);
    return tasks
      .filter((task) => meant(task, runsOf.get(task['task_id']) ?? []))
      .map((task) => [task['task_id'], costOf(runsOf.get(task['task_id']) ?? [])] as const);
  };
}

function meantBy(
  span: DaySpan,
  of: Partial<Record<Dimension, string>>,
  usedModels: ReadonlyMap<unknown, unknown[]>,
): (task: Row, runs: readonly Row[]) => boolean {
  const from = Date.parse(of.day ?? span.from);
  const before = Date.parse(of.day ?? span.to) + dayMs;
  const isWord = (dimension: Dimension, ...known: unknown[]): boolean =>
    of[dimension] === undefined || known.includes(of[dimension]);
  const isMeantRun = (run: Row): boolean =>
    Number(run['started_at_ms']) < before &&
    (run['ended_at_ms'] === null || Number(run['ended_at_ms']) >= from) &&
    isWord('model', run['model'], ...(usedModels.get(run['run_id']) ?? [])) &&
    isWord('engine', run['engine']) &&
    isWord('persona', run['persona']) &&
    isWord('repository', run['repo']);
  const isMeantWithoutRun = (task: Row): boolean =>
    task['ended_at_ms'] !== null &&
    Number(task['ended_at_ms']) >= from &&
    Number(task['ended_at_ms']) < before &&
    isWord('model', '') &&
    isWord('engine', '') &&
    isWord('persona', task['persona'] ?? '') &&
    isWord('repository', task['repo'] ?? '');
  return (task, runs) =>
    isWord('source', task['source_id']) && (runs.length > 0 ? runs.some(isMeantRun) : isMeantWithoutRun(task));
}

/** Those that go on first, then the newest first. */
function inOrder(one: Row, other: Row): number {
  const place = (row: Row): (number | string)[] => [
    row['ended_at_ms'] === null ? 1 : 0,
    Number(row['ended_at_ms']),
    Number(row['started_at_ms']),
    String(row['task_id']),
  ];
  const [left, right] = [place(one), place(other)];
  const differing = left.findIndex((value, index) => value !== right[index]);
  return (left[differing] ?? 0) > (right[differing] ?? 0) ? -1 : 1;
}
