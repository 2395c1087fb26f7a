/** First paint of the analytics page over a million requests, beside an empty one: the history's questions, and the page in Chromium. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import initSqlJs, { type SqlJsStatic } from 'sql.js';
import { z } from 'zod';
import { root, startBrowser } from '../../scripts/vscode.mjs';
import { emptyState } from '../../src/core/liveState';
import { type AnalyticsFigures, analyticsTextSchema, defaultView } from '../../src/protocol/analyticsProtocol';
import { migrate, migrations } from '../../src/store/history/migrations';
import { answerFrom } from '../../src/store/history/queries';
import { Statements } from '../../src/store/history/statements';
import { readFigures } from '../../src/ui/analytics/analyticsFigures';
import { type Figure, median } from './figure';

const requests = 1_000_000;
const runsOfAll = 10_000;
const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 10, 28, 12);
const rounds = 9;

/** Requests of a year as an earlier version kept them; today's own migrations make the rollups of them. */
function fill(sql: SqlJsStatic, count: number): Statements {
  const database = new sql.Database();
  migrate(database, migrations.slice(0, 1));
  if (count > 0) {
    const numbers = (n: number): string =>
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${n - 1})`;
    const atMs = (of: number): string => `${nowMs - 365 * dayMs} + i * ${(365 * dayMs) / of}`;
    database.run(`INSERT INTO tasks (task_id, title, priority, source_id, external_id, outcome, queued_at_ms, started_at_ms, ended_at_ms)
      ${numbers(runsOfAll)} SELECT 'task-' || i, 'Task ' || i, 2, 'source-' || (i % 3), i, 'verified', ${atMs(runsOfAll)}, ${atMs(runsOfAll)} + 1000, ${atMs(runsOfAll)} + 60000 FROM n`);
    database.run(`INSERT INTO runs (run_id, task_id, attempt, repo, engine, model, persona, outcome, started_at_ms, ended_at_ms)
      ${numbers(runsOfAll)} SELECT 'run-' || i, 'task-' || i, 1, '/repo/' || (i % 5), 'anthropic', 'model-' || (i % 4), 'persona-' || (i % 4), 'verified', ${atMs(runsOfAll)} + 1000, ${atMs(runsOfAll)} + 60000 FROM n`);
    database.run(`INSERT INTO usage (seq, at_ms, run_id, model, cost_usd, input_tokens, output_tokens, cache_read_tokens)
      ${numbers(count)} SELECT i + 1, ${atMs(count)}, 'run-' || (i / ${count / runsOfAll}), 'model-' || ((i / ${count / runsOfAll}) % 4), 0.01, 1000, 100, 9000 FROM n`);
  }
  migrate(database);
  return new Statements(database);
}

function figuresOf(rows: Statements): Promise<AnalyticsFigures> {
  const executor = {
    state: emptyState(),
    history: (query: Parameters<typeof answerFrom>[1]) => Promise.resolve(answerFrom(rows, query, nowMs)),
  };
  return readFigures(executor, { view: { ...defaultView, range: 365 }, taskLimit: 50, nowMs });
}

/** Milliseconds from the start of the page's script until its head and figures are painted, and until all of it is. */
const paintedSchema = z.object({ firstMs: z.number(), allMs: z.number() });
type Painted = z.infer<typeof paintedSchema>;

const measureInPage = `async (state) => {
  const startMs = performance.now();
  const painted = (selector) => new Promise((resolve) => {
    // Asked before the page asks for its own frames, so that what it does after a frame is not taken for a part of it.
    const look = () => {
      if (document.querySelector(selector)) setTimeout(() => resolve(performance.now() - startMs));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const all = Promise.all([painted('.tiles, .notice h2'), painted('section.tasks, .notice h2')]);
  start();
  window.postMessage({ kind: 'figures', figures: state }, '*');
  const [firstMs, allMs] = await all;
  return { firstMs, allMs };
}`;

async function paintOf(page: Page, file: string, figures: AnalyticsFigures): Promise<Painted> {
  await page.goto(`file://${file}`);
  return paintedSchema.parse(await page.evaluate(`(${measureInPage})(${JSON.stringify(figures)})`));
}

async function pageIn(folder: string): Promise<string> {
  await build({
    entryPoints: [path.join(root, 'webview/analytics.ts')],
    outdir: folder,
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
  });
  // Each word is its own name: what they say does not matter here.
  const words = (schema: unknown): unknown => {
    const { shape } = schema as { shape?: Record<string, unknown> };
    return shape ? Object.fromEntries(Object.entries(shape).map(([key, of]) => [key, shapeOrWord(key, of)])) : '';
  };
  const shapeOrWord = (key: string, of: unknown): unknown => ((of as { shape?: object }).shape ? words(of) : key);
  const setup = JSON.stringify({ language: 'en', text: words(analyticsTextSchema) });
  const script = readFileSync(path.join(folder, 'analytics.js'), 'utf8').replaceAll('</script', '<\\/script');
  const file = path.join(folder, 'page.html');
  writeFileSync(
    file,
    `<!DOCTYPE html><meta charset="utf-8"><link rel="stylesheet" href="analytics.css"><body><script type="application/json" id="setup">${setup}</script>
<main id="page"></main><script>window.acquireVsCodeApi = () => ({ postMessage() {}, getState() {}, setState() {} });
window.start = () => {${script}};</script>`,
  );
  return file;
}

type Round = Painted & { readonly readMs: number };

export async function bench(): Promise<Figure[]> {
  const sql = await initSqlJs();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'airlock-bench-'));
  const browser = await startBrowser();
  try {
    const file = await pageIn(folder);
    const page = await browser.newPage();
    const kinds = [fill(sql, 0), fill(sql, requests)].map((rows) => ({ rows, rounds: [] as Round[] }));
    // In turn, so that what else the machine does meets both alike.
    for (let round = 0; round < rounds; round += 1) {
      for (const { rows, rounds: measured } of kinds) {
        const startMs = performance.now();
        const figures = await figuresOf(rows);
        const readMs = performance.now() - startMs;
        measured.push({ readMs, ...(await paintOf(page, file, figures)) });
      }
    }
    const [empty, full] = kinds.map((kind) => (of: (round: Round) => number) => median(kind.rounds.map(of)));
    if (!empty || !full) throw new Error('There is nothing to compare');
    const first = ({ readMs, firstMs }: Round): number => readMs + firstMs;
    const all = ({ readMs, allMs }: Round): number => readMs + allMs;
    return [
      {
        name: 'analytics: the history answers, 1,000,000 requests over a year',
        value: full((of) => of.readMs),
        unit: 'ms',
      },
      {
        name: 'analytics: the figures are painted, 1,000,000 requests over a year',
        value: full((of) => of.firstMs),
        unit: 'ms',
      },
      { name: 'analytics: all is painted, 1,000,000 requests over a year', value: full((of) => of.allMs), unit: 'ms' },
      { name: 'analytics: the page is painted, empty', value: empty((of) => of.firstMs), unit: 'ms' },
      {
        name: 'analytics: first paint as a multiple of an empty page',
        value: full(first) / empty(first),
        unit: 'times',
        note: 'history and page with its figures, median of 9, without VS Code',
      },
      {
        name: 'analytics: all of the page as a multiple of an empty one',
        value: full(all) / empty(all),
        unit: 'times',
        note: 'with the chart of 365 days and 50 tasks, which follow the first paint',
      },
    ];
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
