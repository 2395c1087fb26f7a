import assert from 'node:assert/strict';
import { access, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import fc from 'fast-check';
import initSqlJs from 'sql.js';
import { type Logger, silentLogger } from '../../../src/base/logger';
import { UserError } from '../../../src/base/errors';
import type { EventBody } from '../../../src/core/events';
import { dimensions, type HistoryAnswer, type HistoryQuery } from '../../../src/core/history';
import type { WorkerProgram } from '../../../src/store/history/workerHistory';
import { migrate, migrations } from '../../../src/store/history/migrations';
import { listSegments, segmentFile } from '../../../src/store/segments';
import { openStore, type OpenStoreOptions, type Store } from '../../../src/store/store';
import { FakeClock } from '../../fakes/clock';
import { eventBody } from '../core/arbitraryEvents';
import {
  queued,
  runStarted,
  sampleCommit,
  sampleDigest,
  sampleTree,
  sampleUsage,
  usageRecorded,
} from '../core/sampleEvents';
import { newFolder, removeFolders, writtenAt } from './storageFolder';

const dayMs = 86_400_000;
const monday = Date.UTC(2026, 0, 5, 12);

const everyQuery: readonly HistoryQuery[] = [
  { kind: 'daily', days: 3660 },
  { kind: 'byModel', days: 3660 },
  { kind: 'byOutcome', days: 3660 },
  { kind: 'sums', span: { from: '1970-01-01', to: '2199-12-31' }, by: [...dimensions] },
  ...dimensions.map((by) => ({ kind: 'sums' as const, span: { from: '1970-01-01', to: '2199-12-31' }, by: [by] })),
  { kind: 'tasks', limit: 1000 },
  { kind: 'tasksOf', span: { from: '1970-01-01', to: '2199-12-31' }, of: {}, limit: 1000 },
  { kind: 'runs', taskId: 'task-a' },
];

function times(usage: typeof sampleUsage, factor: number): typeof sampleUsage {
  return {
    inputTokens: usage.inputTokens * factor,
    outputTokens: usage.outputTokens * factor,
    cacheWrite5mTokens: usage.cacheWrite5mTokens * factor,
    cacheWrite1hTokens: usage.cacheWrite1hTokens * factor,
    cacheReadTokens: usage.cacheReadTokens * factor,
  };
}

function ended(taskId: string, outcome: 'verified' | 'failed', runId: string): EventBody[] {
  return [
    { kind: 'run.ended', runId, outcome, reason: `it is ${outcome}` },
    { kind: 'task.ended', taskId, outcome, reason: `it is ${outcome}`, runId },
  ];
}

const noWork = {
  costUsd: 0,
  outcomes: {},
  runsStarted: 0,
  waits: 0,
  queueWaitMs: 0,
  runsEnded: 0,
  runMs: 0,
  sessions: 0,
  sessionMs: 0,
  retries: 0,
  firstTokens: 0,
  firstTokenMs: 0,
};

function sumsOf(answer: HistoryAnswer): Extract<HistoryAnswer, { kind: 'sums' }>['rows'] {
  assert.ok(answer.kind === 'sums');
  return answer.rows;
}

async function rowsIn(file: string, query: string): Promise<unknown[]> {
  const sql = await initSqlJs();
  const database = new sql.Database(await readFile(file));
  const rows = database.exec(query)[0]?.values ?? [];
  database.close();
  return rows;
}

/** Each table and view with its columns. */
async function everyTable(file: string): Promise<Record<string, unknown>> {
  const names = await rowsIn(file, `SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name`);
  const columns = names.flat().map(async (name) => [name, await rowsIn(file, `PRAGMA table_info(${String(name)})`)]);
  return Object.fromEntries(await Promise.all(columns)) as Record<string, unknown>;
}

async function everyFileOf(storage: string): Promise<string[]> {
  return (await readdir(storage)).filter((name) => name.startsWith('history.sqlite'));
}

async function segmentsOf(storage: string): Promise<string[]> {
  const journal = path.join(storage, 'journal');
  return (await listSegments(journal)).map((segment) => segmentFile(journal, segment));
}

describe('the history', function () {
  this.timeout(60_000);
  const stores: Store[] = [];
  /** The worker as it is shipped: one bundle, the wasm file beside it. It starts much faster than its sources do. */
  let databaseWorker: WorkerProgram;

  before(async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'airlock-worker-'));
    databaseWorker = { entry: path.join(folder, 'databaseWorker.js') };
    await build({
      entryPoints: [path.resolve(__dirname, '../../../src/store/databaseWorker.ts')],
      outfile: databaseWorker.entry,
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
    await copyFile(require.resolve('sql.js/dist/sql-wasm.wasm'), path.join(folder, 'sql-wasm.wasm'));
  });

  after(() => rm(path.dirname(databaseWorker.entry), { recursive: true }));

  async function open(storage: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
    const clock = new FakeClock(monday);
    const store = await openStore({ storage, clock, logger: silentLogger, databaseWorker, ...options });
    stores.push(store);
    return store;
  }

  function answers(store: Store): Promise<unknown[]> {
    return Promise.all(everyQuery.map((query) => store.history.query(query)));
  }

  /** On Monday task-a fails after two minutes and task-b is verified; on Tuesday task-a is verified at the second try. */
  async function twoDays(storage: string): Promise<Store> {
    const clock = new FakeClock(monday);
    const store = await open(storage, { clock });
    await store.journal.append([queued('task-a'), queued('task-b', { title: 'Write the guide' })]);
    await clock.advance(1_000);
    await store.journal.append([
      runStarted('run-1', 'task-a'),
      usageRecorded('run-1', 0.5),
      usageRecorded('run-1', 0.25),
    ]);
    await clock.advance(120_000);
    await store.journal.append(ended('task-a', 'failed', 'run-1'));
    await store.journal.append([runStarted('run-2', 'task-b'), usageRecorded('run-2', null, 'model-b')]);
    await clock.advance(9_000);
    await store.journal.append(ended('task-b', 'verified', 'run-2'));
    await clock.advance(dayMs);
    await store.journal.append([
      { kind: 'task.requeued', taskId: 'task-a', reason: 'again', notBeforeMs: 0 },
      runStarted('run-3', 'task-a', 2),
      usageRecorded('run-3', 1),
    ]);
    await clock.advance(30_000);
    await store.journal.append([
      {
        kind: 'result.published',
        runId: 'run-3',
        branch: 'airlock/task-a-2',
        commit: sampleCommit,
        filesChanged: 1,
        insertions: 2,
        deletions: 3,
      },
      ...ended('task-a', 'verified', 'run-3'),
    ]);
    return store;
  }

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await removeFolders();
  });

  it('answers nothing of an empty journal', async () => {
    const store = await open(await newFolder());
    assert.deepEqual(
      await answers(store),
      everyQuery.map(({ kind }) => ({ kind, rows: [] })),
    );
  });

  it('tells spending, outcomes, waiting and working by day', async () => {
    const store = await twoDays(await newFolder());
    assert.deepEqual(await store.history.query({ kind: 'daily', days: 7 }), {
      kind: 'daily',
      rows: [
        {
          day: '2026-01-05',
          usage: times(sampleUsage, 3),
          costUsd: 0.75,
          unpriced: 1,
          requests: 3,
          outcomes: { failed: 1, verified: 1 },
          runsStarted: 2,
          queueWaitMs: 1_000 + 121_000,
          runsEnded: 2,
          runMs: 120_000 + 9_000,
        },
        {
          day: '2026-01-06',
          usage: sampleUsage,
          costUsd: 1,
          unpriced: 0,
          requests: 1,
          outcomes: { verified: 1 },
          runsStarted: 1,
          queueWaitMs: 0,
          runsEnded: 1,
          runMs: 30_000,
        },
      ],
    });
  });

  it('counts the last days from today', async () => {
    const store = await twoDays(await newFolder());
    const answer = await store.history.query({ kind: 'daily', days: 1 });
    assert.ok(answer.kind === 'daily');
    assert.deepEqual(
      answer.rows.map((row) => row.day),
      ['2026-01-06'],
    );
  });

  it('tells spending by model and by outcome', async () => {
    const store = await twoDays(await newFolder());
    assert.deepEqual(await store.history.query({ kind: 'byModel', days: 7 }), {
      kind: 'byModel',
      rows: [
        { model: 'model-a', usage: times(sampleUsage, 3), costUsd: 1.75, unpriced: 0, requests: 3 },
        { model: 'model-b', usage: sampleUsage, costUsd: 0, unpriced: 1, requests: 1 },
      ],
    });
    assert.deepEqual(await store.history.query({ kind: 'byOutcome', days: 7 }), {
      kind: 'byOutcome',
      rows: [
        { outcome: 'verified', runs: 2, usage: times(sampleUsage, 2), costUsd: 1, unpriced: 1, runMs: 39_000 },
        { outcome: 'failed', runs: 1, usage: times(sampleUsage, 2), costUsd: 0.75, unpriced: 0, runMs: 120_000 },
      ],
    });
  });

  const week = { from: '2026-01-05', to: '2026-01-11' };

  it('sums up spending and work by what it is asked by', async () => {
    const store = await twoDays(await newFolder());
    const byModel = await store.history.query({ kind: 'sums', span: week, by: ['model'] });
    // The run of task-b began with model-a; that one of its requests was answered by another is spending of that other.
    assert.deepEqual(byModel, {
      kind: 'sums',
      rows: [
        {
          keys: { model: 'model-a' },
          usage: times(sampleUsage, 3),
          costUsd: 1.75,
          unpriced: 0,
          requests: 3,
          outcomes: { failed: 1, verified: 2 },
          runsStarted: 3,
          waits: 2,
          queueWaitMs: 122_000,
          runsEnded: 3,
          runMs: 159_000,
          sessions: 0,
          sessionMs: 0,
          retries: 0,
          firstTokens: 0,
          firstTokenMs: 0,
        },
        {
          ...noWork,
          keys: { model: 'model-b' },
          usage: sampleUsage,
          unpriced: 1,
          requests: 1,
        },
      ],
    });
    const costs = async (by: HistoryQuery & { kind: 'sums' }): Promise<unknown[]> =>
      sumsOf(await store.history.query(by)).map(({ keys, costUsd }) => [...Object.values(keys), costUsd]);
    assert.deepEqual(await costs({ kind: 'sums', span: week, by: ['day', 'persona'] }), [
      ['2026-01-05', 'implementer', 0.75],
      ['2026-01-06', 'implementer', 1],
    ]);
    assert.deepEqual(await costs({ kind: 'sums', span: { from: '2026-01-06', to: '2026-01-06' }, by: ['source'] }), [
      ['zmemory:main', 1],
    ]);
    assert.deepEqual(await costs({ kind: 'sums', span: { from: '2026-02-01', to: '2026-02-28' }, by: ['day'] }), []);
  });

  it('sums up sessions, retries, the time to the first token, and tasks that ended without a run', async () => {
    const clock = new FakeClock(monday);
    const store = await open(await newFolder(), { clock });
    const process = { pid: 1, startTicks: 1, bootId: 'boot' };
    const proof = { proven: true, canaries: [], durationMs: 1 };
    const usage = { kind: 'usage.recorded', runId: 'run-1', model: 'model-a', usage: sampleUsage, costUsd: 1 } as const;
    await store.journal.append([
      queued('task-a'),
      queued('task-b', { repo: null }),
      runStarted('run-1', 'task-a'),
      { kind: 'session.created', sessionId: 'session-1', runId: 'run-1', process, proof },
      { kind: 'request.retried', runId: 'run-1', reason: 'overloaded', attempt: 1, delayMs: 10 },
      { ...usage, firstTokenMs: 700 },
      { ...usage, firstTokenMs: 500 },
      usage,
    ]);
    await clock.advance(60_000);
    const closed = { kind: 'session.closed', sessionId: 'session-1', reason: 'done', breach: null } as const;
    await store.journal.append([
      closed,
      closed,
      { kind: 'task.ended', taskId: 'task-b', outcome: 'cancelled', reason: '', runId: null },
    ]);
    const rows = sumsOf(await store.history.query({ kind: 'sums', span: week, by: ['repository'] }));
    assert.deepEqual(
      rows.map(({ keys, sessions, sessionMs, retries, firstTokens, firstTokenMs, outcomes }) => [
        keys.repository,
        sessions,
        sessionMs,
        retries,
        [firstTokens, firstTokenMs],
        outcomes,
      ]),
      [
        ['/home/dev/project', 1, 60_000, 1, [2, 1200], {}],
        ['', 0, 0, 0, [0, 0], { cancelled: 1 }],
      ],
    );
  });

  it('has what a request cost and the time to its first token in one row, under the model that answered', async () => {
    const store = await open(await newFolder());
    const request = { ...usageRecorded('run-1', 1, 'model-b'), firstTokenMs: 700 };
    await store.journal.append([queued('task-a'), runStarted('run-1', 'task-a'), request]);
    for (const by of [['model'], [...dimensions]] as const) {
      const rows = sumsOf(await store.history.query({ kind: 'sums', span: week, by: [...by] }));
      const told = rows.map(({ keys, costUsd, firstTokens, firstTokenMs }) => [
        keys.model,
        [costUsd, firstTokens, firstTokenMs],
      ]);
      assert.deepEqual(Object.fromEntries(told), { 'model-a': [0, 0, 0], 'model-b': [1, 1, 700] });
    }
  });

  it('lists the tasks behind a row of sums, those that go on first', async () => {
    const store = await twoDays(await newFolder());
    await store.journal.append([
      queued('task-c', { repo: '/home/dev/other' }),
      runStarted('run-4', 'task-c'),
      queued('task-d'),
      { kind: 'task.ended', taskId: 'task-d', outcome: 'cancelled', reason: '', runId: null },
      queued('task-e'),
    ]);
    const tasksOf = async (of: Partial<Record<string, string>>, span = week, limit = 9): Promise<unknown[]> => {
      const answer = await store.history.query({ kind: 'tasksOf', span, of, limit });
      assert.ok(answer.kind === 'tasksOf');
      return answer.rows.map(({ taskId, outcome }) => `${taskId} ${outcome ?? 'goes on'}`);
    };
    const [a, b] = ['task-a verified', 'task-b verified'];
    const [c, d] = ['task-c goes on', 'task-d cancelled'];
    assert.deepEqual(await tasksOf({}), [c, a, d, b]);
    assert.deepEqual(await tasksOf({}, week, 2), [c, a]);
    assert.deepEqual(await tasksOf({ day: '2026-01-05' }), [a, b]);
    assert.deepEqual(await tasksOf({}, { from: '2026-01-06', to: '2026-01-06' }), [c, a, d]);
    assert.deepEqual(await tasksOf({ model: 'model-b' }), [b]);
    assert.deepEqual(await tasksOf({ model: '' }), [d]);
    assert.deepEqual(await tasksOf({ repository: '/home/dev/project', source: 'zmemory:main' }), [c, a, d, b]);
    assert.deepEqual(await tasksOf({ source: 'user' }), []);
    assert.deepEqual(await tasksOf({ persona: "x' OR 1=1 --" }), []);
  });

  it('lists ended tasks, newest first and page by page, with what all their runs have cost', async () => {
    const store = await twoDays(await newFolder());
    const taskB = {
      taskId: 'task-b',
      title: 'Write the guide',
      outcome: 'verified',
      sourceId: 'zmemory:main',
      repo: '/home/dev/project',
      attempts: 1,
      usage: sampleUsage,
      costUsd: null,
      queuedAtMs: monday,
      endedAtMs: monday + 130_000,
    };
    const taskA = {
      ...taskB,
      taskId: 'task-a',
      title: 'Mend the parser',
      attempts: 2,
      usage: times(sampleUsage, 3),
      costUsd: 1.75,
      endedAtMs: monday + dayMs + 160_000,
    };
    const first = await store.history.query({ kind: 'tasks', limit: 1 });
    assert.deepEqual(first, { kind: 'tasks', rows: [taskA] });
    const next = await store.history.query({ kind: 'tasks', limit: 5, beforeMs: taskA.endedAtMs });
    assert.deepEqual(next, { kind: 'tasks', rows: [taskB] });
  });

  it('lists every run of a task', async () => {
    const store = await twoDays(await newFolder());
    const failed = {
      runId: 'run-1',
      taskId: 'task-a',
      attempt: 1,
      engine: 'anthropic',
      model: 'model-a',
      outcome: 'failed',
      reason: 'it is failed',
      branch: null,
      commit: null,
      usage: times(sampleUsage, 2),
      costUsd: 0.75,
      startedAtMs: monday + 1_000,
      endedAtMs: monday + 121_000,
    };
    assert.deepEqual(await store.history.query({ kind: 'runs', taskId: 'task-a' }), {
      kind: 'runs',
      rows: [
        failed,
        {
          ...failed,
          runId: 'run-3',
          attempt: 2,
          outcome: 'verified',
          reason: 'it is verified',
          branch: 'airlock/task-a-2',
          commit: sampleCommit,
          usage: sampleUsage,
          costUsd: 1,
          startedAtMs: monday + dayMs + 130_000,
          endedAtMs: monday + dayMs + 160_000,
        },
      ],
    });
  });

  it('counts a run that went on after its end once, and not the time in which it rested', async () => {
    const clock = new FakeClock(monday);
    const store = await open(await newFolder(), { clock });
    await store.journal.append([queued('task-a'), runStarted('run-1', 'task-a'), usageRecorded('run-1', 1)]);
    await clock.advance(10_000);
    await store.journal.append(ended('task-a', 'failed', 'run-1'));
    await clock.advance(dayMs);
    await store.journal.append([
      { kind: 'run.continued', runId: 'run-1', attempt: 2, feedback: sampleDigest, comments: [], onto: null },
      usageRecorded('run-1', 2),
    ]);
    await clock.advance(5_000);
    await store.journal.append(ended('task-a', 'verified', 'run-1'));
    const answer = await store.history.query({ kind: 'byOutcome', days: 7 });
    assert.ok(answer.kind === 'byOutcome');
    assert.deepEqual(
      answer.rows.filter(({ runs }) => runs !== 0),
      [{ outcome: 'verified', runs: 1, usage: times(sampleUsage, 2), costUsd: 3, unpriced: 0, runMs: 15_000 }],
    );
    const runs = await store.history.query({ kind: 'runs', taskId: 'task-a' });
    assert.ok(runs.kind === 'runs');
    assert.deepEqual(
      runs.rows.map(({ attempt, outcome, costUsd }) => [attempt, outcome, costUsd]),
      [[2, 'verified', 3]],
    );
  });

  it('has in its answer what was appended before it was asked', async () => {
    const store = await open(await newFolder());
    for (let number = 1; number <= 5; number += 1) {
      await store.journal.append([queued('task-a'), runStarted(`run-${number}`, 'task-a', number)]);
      const answer = await store.history.query({ kind: 'runs', taskId: 'task-a' });
      assert.equal(answer.rows.length, number);
    }
  });

  it('keeps the result of every kind of event', async () => {
    const storage = await newFolder();
    const store = await open(storage);
    const check = {
      command: 'npm test',
      on: 'result' as const,
      tree: sampleTree,
      exitCode: 1,
      endedBy: null,
      output: sampleDigest,
      outputBytes: 5,
      durationMs: 6,
    };
    const report = {
      reportId: 'report-1',
      taskId: 'task-a',
      sourceId: 'user',
      externalId: '1',
      kind: 'fail' as const,
      body: sampleDigest,
    };
    const process = { pid: 1, startTicks: 1, bootId: 'boot' };
    const proof = { proven: true, canaries: [], durationMs: 1 };
    await store.journal.append([
      queued('task-a'),
      runStarted('run-1', 'task-a'),
      { kind: 'session.created', sessionId: 'session-1', runId: 'run-1', process, proof },
      { kind: 'message.recorded', runId: 'run-1', index: 0, role: 'user', blob: sampleDigest },
      { kind: 'check.finished', runId: 'run-1', round: 0, result: check },
      { kind: 'evidence.recorded', runId: 'run-1', round: 0, verdict: 'contradicted', tree: sampleTree },
      { kind: 'session.closed', sessionId: 'session-1', reason: 'done', breach: null },
      { kind: 'report.queued', report },
      { kind: 'report.acknowledged', taskId: 'task-a', reportId: 'report-1' },
      { kind: 'task.ended', taskId: 'task-a', outcome: 'contradicted', reason: '', runId: 'run-1' },
      { kind: 'task.discarded', taskId: 'task-a' },
    ]);
    await store.history.query({ kind: 'tasks', limit: 1 });
    await store.close();
    const sql = await initSqlJs();
    const database = new sql.Database(await readFile(path.join(storage, 'history.sqlite')));
    const value = (query: string): unknown => database.exec(query)[0]?.values;
    assert.deepEqual(
      [
        value('SELECT proven, reason, closed_at_ms IS NOT NULL FROM sessions'),
        value('SELECT run_id, position, role, blob FROM messages'),
        value('SELECT round, command, subject, exit_code FROM checks'),
        value('SELECT verdict, rounds FROM runs'),
        value('SELECT kind, status, settled_at_ms IS NOT NULL FROM reports'),
        value('SELECT outcome, settled FROM tasks'),
        value('SELECT seq FROM progress'),
      ],
      [
        [[1, 'done', 1]],
        [['run-1', 0, 'user', sampleDigest]],
        [[0, 'npm test', 'result', 1]],
        [['contradicted', 1]],
        [['fail', 'acknowledged', 1]],
        [['contradicted', 'discarded']],
        [[11]],
      ],
    );
    database.close();
  });

  it('is the same followed step by step over restarts, or built again from the journal at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(eventBody, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
        async (groups) => {
          const storage = await newFolder();
          const clock = new FakeClock(monday);
          let followed: unknown;
          for (const group of groups) {
            const store = await open(storage, { clock });
            await store.journal.append(group);
            followed = await answers(store);
            await store.close();
            await clock.advance(dayMs / 3);
          }
          clock.jump(-dayMs / 3);
          await rm(path.join(storage, 'history.sqlite'));
          assert.deepEqual(await answers(await open(storage, { clock })), followed);
        },
      ),
      { numRuns: 3 },
    );
  });

  it('is not loaded before it is asked, and leaves no file then', async () => {
    const storage = await newFolder();
    const store = await open(storage);
    await store.journal.append([queued('task-a')]);
    await store.close();
    await assert.rejects(access(path.join(storage, 'history.sqlite')));
  });

  it('is built again, and says so, when its file is damaged', async () => {
    const storage = await newFolder();
    const file = path.join(storage, 'history.sqlite');
    const first = await twoDays(storage);
    const expected = await answers(first);
    await first.close();
    const whole = await readFile(file);

    const cases = {
      nonsense: Buffer.from('no database at all'),
      empty: Buffer.alloc(0),
      half: whole.subarray(0, whole.length / 2),
      hole: Buffer.from(whole).fill(0x7f, 4096, 20_000),
    };
    for (const [name, bytes] of Object.entries(cases)) {
      await writeFile(file, bytes);
      const warnings: string[] = [];
      const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
      const clock = new FakeClock(monday + dayMs + 160_000);
      const store = await open(storage, { logger, clock });
      assert.deepEqual(await answers(store), expected, name);
      if (name !== 'empty') {
        assert.equal(warnings.length, 1, name);
        assert.deepEqual(await readFile(`${file}.unusable`), bytes, name);
      }
      await store.close();
    }
  });

  it('refuses a file of a newer version, and leaves it as it is', async () => {
    const storage = await newFolder();
    const file = path.join(storage, 'history.sqlite');
    const first = await twoDays(storage);
    await first.history.query({ kind: 'tasks', limit: 1 });
    await first.close();
    const sql = await initSqlJs();
    const newer = new sql.Database(await readFile(file));
    newer.run('INSERT INTO schema_version VALUES (99)');
    const bytes = Buffer.from(newer.export());
    newer.close();
    await writeFile(file, bytes);
    const store = await open(storage);
    await assert.rejects(store.history.query({ kind: 'tasks', limit: 1 }), { code: 'history-newer' });
    await store.journal.append([queued('task-c')]);
    await store.close();
    assert.deepEqual(await readFile(file), bytes);
  });

  it('keeps a row for each request for so long, and the sums by day for ever', async () => {
    const storage = await newFolder();
    const file = path.join(storage, 'history.sqlite');
    const first = await twoDays(storage);
    const expected = await answers(first);
    await first.close();
    const clock = new FakeClock(monday + 91 * dayMs);
    const later = await open(storage, { clock });
    assert.deepEqual(await answers(later), expected);
    await later.close();
    assert.deepEqual(await rowsIn(file, 'SELECT run_id FROM usage'), [['run-3']]);
    const sums = 'SELECT day, model, engine, persona, source_id, repo, requests, unpriced, cost_usd FROM daily_usage';
    const who = ['anthropic', 'implementer', 'zmemory:main', '/home/dev/project'];
    assert.deepEqual(await rowsIn(file, sums), [
      ['2026-01-05', 'model-a', ...who, 2, 0, 0.75],
      ['2026-01-05', 'model-b', ...who, 1, 1, 0],
      ['2026-01-06', 'model-a', ...who, 1, 0, 1],
    ]);
    // Built again it comes to the same.
    await rm(file);
    const again = await open(storage, { clock, keep: { rawMs: 10 * dayMs } });
    assert.deepEqual(await answers(again), expected);
    await again.close();
    assert.deepEqual(await rowsIn(file, 'SELECT run_id FROM usage'), []);
    assert.equal((await rowsIn(file, sums)).length, 3);
  });

  for (let version = 1; version < migrations.length; version += 1) {
    it(`comes to the same when it was begun by an earlier version (${version})`, async () => {
      const storage = await newFolder();
      const file = path.join(storage, 'history.sqlite');
      const first = await twoDays(storage);
      const expected = await answers(first);
      await first.close();
      const now = await everyTable(file);
      const earlier = await readFile(path.join(__dirname, 'earlier', `history-${version}.sqlite.gz`));
      await writeFile(file, gunzipSync(earlier));
      const store = await open(storage);
      assert.deepEqual(await answers(store), expected);
      await store.journal.append([usageRecorded('run-3', 2)]);
      assert.equal((await store.history.query({ kind: 'byModel', days: 3660 })).rows.length, 2);
      await store.close();
      assert.deepEqual(Object.keys(await everyTable(file)), Object.keys(now));
    });
  }

  it('takes in what the journal is about to drop, and answers about it when that is gone', async () => {
    const storage = await newFolder();
    const clock = new FakeClock(monday);
    const small = {
      clock,
      maxSegmentBytes: 300,
      eventsBetweenSnapshots: 1,
      keep: { segments: { keepMs: dayMs, maxBytes: null } },
    };
    for (let day = 0; day < 5; day += 1) {
      const store = await open(storage, small);
      await store.journal.append([queued(`task-${day}`), runStarted(`run-${day}`, `task-${day}`)]);
      await store.journal.append(ended(`task-${day}`, 'verified', `run-${day}`));
      await store.close();
      // What they hold says how old they are.
      for (const segment of await segmentsOf(storage)) await writtenAt(segment, 0);
      await clock.advance(2 * dayMs);
    }
    const last = await open(storage, small);
    await last.close();
    const segments = await segmentsOf(storage);
    assert.ok(segments.length < 5, segments.join(' '));
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
    const store = await open(storage, { ...small, logger });
    const { rows } = await store.history.query({ kind: 'tasks', limit: 9 });
    assert.equal(rows.length, 5);
    await store.close();
    assert.deepEqual(warnings, []);

    await rm(path.join(storage, 'history.sqlite'));
    const lost = await open(storage, { ...small, logger });
    const left = await lost.history.query({ kind: 'tasks', limit: 9 });
    assert.ok(left.rows.length < 5);
    assert.match(warnings.join(), /has nothing of events 1 to \d+: they were dropped/);
  });

  it('is built again when its file belongs to another journal', async () => {
    const [mine, other] = [await newFolder(), await newFolder()];
    const first = await twoDays(other);
    await first.history.query({ kind: 'tasks', limit: 1 });
    await first.close();
    const store = await open(mine);
    for (let number = 0; number < 20; number += 1) await store.journal.append([queued(`task-${number}`)]);
    await store.close();
    const file = path.join(mine, 'history.sqlite');
    const foreign = await readFile(path.join(other, 'history.sqlite'));
    await writeFile(file, foreign);
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
    const again = await open(mine, { logger });
    assert.deepEqual(await again.history.query({ kind: 'tasks', limit: 5 }), { kind: 'tasks', rows: [] });
    await again.close();
    // What it has of events that its journal has dropped is nowhere else.
    assert.deepEqual(await readFile(`${file}.unusable`), foreign);
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0]?.includes(`${file}.unusable`), warnings[0]);
  });

  it('keeps what it has while the journal is damaged, and goes on from there when it is mended', async () => {
    const storage = await newFolder();
    const file = path.join(storage, 'history.sqlite');
    const first = await twoDays(storage);
    await first.history.query({ kind: 'tasks', limit: 1 });
    await first.close();
    const saved = await readFile(file);
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
    const store = await open(storage, { logger });
    await store.journal.append([queued('task-c')]);
    const segment = path.join(storage, 'journal', '000001.jsonl');
    const whole = await readFile(segment);
    await writeFile(segment, Buffer.from(whole).fill(0x58, whole.length - 40, whole.length - 30));
    await assert.rejects(store.history.query({ kind: 'tasks', limit: 1 }), { code: 'journal-corrupt' });
    await writeFile(segment, whole);
    assert.equal((await store.history.query({ kind: 'tasks', limit: 5 })).rows.length, 2);
    assert.deepEqual(warnings, []);
    assert.deepEqual(await readFile(file), saved);
    assert.deepEqual(await everyFileOf(storage), ['history.sqlite']);
  });

  it('says that the journal is damaged when it is, and answers again when it is mended', async () => {
    const storage = await newFolder();
    const store = await twoDays(storage);
    const segment = path.join(storage, 'journal', '000001.jsonl');
    const whole = await readFile(segment);
    await writeFile(segment, Buffer.from(whole).fill(0x58, 300, 310));
    await assert.rejects(store.history.query({ kind: 'tasks', limit: 1 }), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.deepEqual(
        [error.code, error.facts],
        ['journal-corrupt', { file: segment, line: 2, offset: error.facts['offset'] }],
      );
      return true;
    });
    await writeFile(segment, whole);
    assert.equal((await store.history.query({ kind: 'tasks', limit: 5 })).rows.length, 2);
  });

  it('tells who waits when its worker cannot be started, and starts another for the next question', async () => {
    const storage = await newFolder();
    const entry = path.join(storage, 'worker.js');
    await writeFile(entry, 'throw new Error("it does not start")');
    const store = await open(storage, { databaseWorker: { entry } });
    const failed = { name: 'UserError', code: 'history-failed', message: /it does not start/ };
    const asked = [store.history.query({ kind: 'tasks', limit: 1 }), store.history.query({ kind: 'tasks', limit: 2 })];
    for (const question of asked) await assert.rejects(question, failed);
    await assert.rejects(store.history.query({ kind: 'tasks', limit: 1 }), failed);
  });

  it('finds its program by itself, and the wasm file where it is said to be', async () => {
    const storage = await newFolder();
    const bySelf = await open(storage, { databaseWorker: undefined });
    assert.deepEqual(await bySelf.history.query({ kind: 'tasks', limit: 1 }), { kind: 'tasks', rows: [] });
    await bySelf.close();
    const entry = path.join(storage, 'databaseWorker.js');
    await copyFile(databaseWorker.entry, entry);
    // Beside this copy there is none.
    const wasmFile = path.join(path.dirname(databaseWorker.entry), 'sql-wasm.wasm');
    const told = await open(storage, { databaseWorker: { entry, wasmFile } });
    assert.deepEqual(await told.history.query({ kind: 'tasks', limit: 1 }), { kind: 'tasks', rows: [] });
  });

  it('answers no more once it is closed', async () => {
    const store = await open(await newFolder());
    await store.close();
    await assert.rejects(store.history.query({ kind: 'tasks', limit: 1 }), { code: 'history-failed' });
  });
});

describe('the migrations of the history', () => {
  it('take each step once, and go on where an older version stopped', async () => {
    const sql = await initSqlJs();
    const database = new sql.Database();
    const steps = ['CREATE TABLE a (x)', 'ALTER TABLE a ADD COLUMN y'];
    migrate(database, steps.slice(0, 1));
    database.run('INSERT INTO a VALUES (1)');
    migrate(database, steps);
    migrate(database, steps);
    assert.deepEqual(database.exec('SELECT x, y FROM a')[0]?.values, [[1, null]]);
    assert.deepEqual(database.exec('SELECT version FROM schema_version')[0]?.values, [[1], [2]]);
    database.close();
  });

  it('leave the database as it was when a step fails', async () => {
    const sql = await initSqlJs();
    const database = new sql.Database();
    assert.throws(() => migrate(database, ['CREATE TABLE a (x)', 'CREATE TABLE b (x); CREATE TABLE a (x)']));
    assert.deepEqual(database.exec('SELECT version FROM schema_version')[0]?.values, [[1]]);
    assert.deepEqual(database.exec(`SELECT name FROM sqlite_master WHERE name = 'b'`), []);
    database.close();
  });

  it('refuse a database that is ahead of them', async () => {
    const sql = await initSqlJs();
    const database = new sql.Database();
    migrate(database, [...migrations, 'CREATE TABLE later (x)']);
    assert.throws(() => migrate(database), { name: 'NewerSchemaError', version: migrations.length + 1 });
    database.close();
  });
});
