import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import { noUsage } from '../../../src/core/usage';
import type { ToAnalyticsPage } from '../../../src/protocol/analyticsProtocol';
import { type AnalyticsView, defaultView, toAnalyticsPageSchema } from '../../../src/protocol/analyticsProtocol';
import { AnalyticsFeed, refreshDelayMs, taskPage } from '../../../src/ui/analytics/analyticsFeed';
import { FakeClock, settle } from '../../fakes/clock';
import { HistoryExecutor, sumRow, taskRow } from '../../fakes/historyExecutor';

describe('the feed of the analytics page', () => {
  let executor: HistoryExecutor;
  let clock: FakeClock;
  let posted: ToAnalyticsPage[];
  let warnings: string[];
  let asked: unknown[];
  let feed: AnalyticsFeed;

  beforeEach(() => {
    executor = new HistoryExecutor();
    clock = new FakeClock(Date.UTC(2026, 0, 5, 12));
    posted = [];
    warnings = [];
    asked = [];
    feed = new AnalyticsFeed({
      executor,
      clock,
      logger: { ...silentLogger, warn: (message) => warnings.push(message) },
      post: (message) => posted.push(message),
      reveal: (taskId) => asked.push(taskId),
      export: (span, format) => asked.push([span, format]),
    });
  });

  afterEach(() => feed.dispose());

  const week: AnalyticsView = { ...defaultView, range: 7 };
  const kinds = (): string[] => posted.map((message) => message.kind);
  const usageEvent = () =>
    executor.append({ kind: 'usage.recorded', runId: 'run-a', model: 'm', usage: noUsage, costUsd: null });

  it('says nothing before the page has said that it is ready', async () => {
    feed.receive({ kind: 'refresh' });
    usageEvent();
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual({ posted, calls: executor.calls }, { posted: [], calls: [] });
  });

  it('answers "ready" with the figures of the period that the page remembers', async () => {
    executor.sums = [sumRow({ day: '2026-01-04' }, { costUsd: 1.5, requests: 3 })];
    executor.tasks = [taskRow('task-1')];
    feed.receive({ kind: 'ready', view: week });
    await settle();
    assert.deepEqual(kinds(), ['loading', 'figures']);
    const last = toAnalyticsPageSchema.parse(posted.at(-1));
    assert.ok(last.kind === 'figures');
    const { rows, ...rest } = last.figures;
    assert.deepEqual(
      rows.map((row) => [row.keys.day, row.costUsd]),
      [
        ['2025-12-30', 0],
        ['2025-12-31', 0],
        ['2026-01-01', 0],
        ['2026-01-02', 0],
        ['2026-01-03', 0],
        ['2026-01-04', 1.5],
        ['2026-01-05', 0],
      ],
    );
    assert.deepEqual(rest, {
      view: week,
      span: { from: '2025-12-30', to: '2026-01-05' },
      tasks: [taskRow('task-1')],
      hasMoreTasks: false,
      hasHistory: true,
      budgets: [
        {
          scope: 'month',
          subject: '',
          unit: 'usd',
          spent: 1.5,
          limit: null,
          // In four and a half days of 31.
          atEnd: 1.5 * (31 / 4.5),
          reachedAtMs: null,
        },
      ],
      updatedAtMs: clock.nowMs(),
    });
  });

  it('gathers events that change the figures into one refresh', async () => {
    feed.receive({ kind: 'ready', view: defaultView });
    await settle();
    posted = [];
    for (let n = 0; n < 20; n++) usageEvent();
    assert.deepEqual(posted, []);
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(kinds(), ['figures']);
  });

  it('leaves the figures alone when an event does not change them', async () => {
    feed.receive({ kind: 'ready', view: defaultView });
    await settle();
    posted = [];
    executor.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(posted, []);
  });

  it('reads everything anew when the executor is replaced', async () => {
    feed.receive({ kind: 'ready', view: defaultView });
    await settle();
    posted = [];
    executor.reset(executor.state);
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(kinds(), ['figures']);
  });

  it('asks nothing while the page is hidden, and goes on when it is ready again', async () => {
    feed.receive({ kind: 'ready', view: defaultView });
    await settle();
    usageEvent();
    feed.pageHidden();
    posted = [];
    usageEvent();
    await clock.advance(10 * refreshDelayMs);
    await settle();
    assert.deepEqual(posted, []);
    feed.receive({ kind: 'ready', view: defaultView });
    await settle();
    assert.deepEqual(kinds(), ['loading', 'figures']);
  });

  it('shows the answer to the last question alone', async () => {
    const release = executor.hold('history');
    feed.receive({ kind: 'ready', view: { ...defaultView, range: 365 } });
    feed.receive({ kind: 'look', view: week });
    release();
    await settle();
    assert.deepEqual(
      posted.map((message) => (message.kind === 'figures' ? message.figures.view.range : message.kind)),
      ['loading', 7],
    );
  });

  it('says why when the history cannot be read, and tries again when asked', async () => {
    executor.failNext('history', new Error('the database is gone'));
    feed.receive({ kind: 'ready', view: defaultView });
    await settle();
    assert.deepEqual(posted, [{ kind: 'loading' }, { kind: 'failed', message: 'the database is gone' }]);
    posted = [];
    feed.receive({ kind: 'refresh' });
    await settle();
    assert.deepEqual(kinds(), ['loading', 'figures']);
  });

  it('shows a page of tasks, and one more each time it is asked', async () => {
    executor.tasks = Array.from({ length: taskPage + 1 }, (_, n) => taskRow(`task-${n}`));
    const shown = (): unknown => {
      const last = posted.at(-1);
      return last?.kind === 'figures' && [last.figures.tasks.length, last.figures.hasMoreTasks];
    };
    feed.receive({ kind: 'ready', view: defaultView });
    await settle();
    assert.deepEqual(shown(), [taskPage, true]);
    feed.receive({ kind: 'showMoreTasks' });
    await settle();
    assert.deepEqual(shown(), [taskPage + 1, false]);
  });

  it('never asks for more tasks than history gives', async () => {
    feed.receive({ kind: 'ready', view: defaultView });
    for (let n = 0; n < 100; n++) feed.receive({ kind: 'showMoreTasks' });
    await settle();
    const limits = executor.calls.map(({ args }) => args[0] as { kind: string; limit?: number });
    assert.equal(Math.max(...limits.map((query) => query.limit ?? 0)), 1000);
  });

  for (const [what, message] of [
    ['an unknown intent', { kind: 'deleteEverything' }],
    ['a period that is not offered', { kind: 'look', view: { range: 100_000, by: 'day', row: null } }],
    [
      'days that end before they begin',
      { kind: 'look', view: { ...defaultView, range: { from: '2026-01-02', to: '2026-01-01' } } },
    ],
    ['a span without end', { kind: 'look', view: { ...defaultView, range: { from: '0001-01-01', to: '9999-12-31' } } }],
    ['no object at all', 'ready'],
  ] as const) {
    it(`drops ${what}, and the log says so`, async () => {
      feed.receive({ kind: 'ready', view: defaultView });
      await settle();
      posted = [];
      feed.receive(message);
      await settle();
      assert.deepEqual({ posted, warnings: warnings.length }, { posted: [], warnings: 1 });
    });
  }

  it('lists the tasks of a row, from their first page on', async () => {
    executor.byModel = [sumRow({ model: 'model-a' }), sumRow({ model: 'model-b' })];
    executor.tasks = [taskRow('task-1', { title: 'by model-a' }), taskRow('task-2', { title: 'by model-b' })];
    feed.receive({ kind: 'ready', view: defaultView });
    feed.receive({ kind: 'showMoreTasks' });
    feed.receive({ kind: 'look', view: { range: 7, by: 'model', row: 'model-b' } });
    await settle();
    const last = posted.at(-1);
    assert.ok(last?.kind === 'figures');
    assert.deepEqual(
      [last.figures.rows.map(({ keys }) => keys.model), last.figures.tasks.map(({ taskId }) => taskId)],
      [['model-a', 'model-b'], ['task-2']],
    );
    const limits = executor.calls
      .map(({ args }) => (args[0] as { limit?: number }).limit)
      .filter((limit) => limit !== 1);
    assert.equal(limits.at(-1), undefined);
    assert.equal(limits.filter((limit) => limit !== undefined).at(-1), taskPage + 1);
  });

  it('hands on what is to be shown and saved, for the days that the page shows', () => {
    feed.receive({ kind: 'ready', view: week });
    feed.receive({ kind: 'revealTask', taskId: 'task-1' });
    feed.receive({ kind: 'export', format: 'csv' });
    feed.receive({ kind: 'look', view: { ...week, range: { from: '2026-01-01', to: '2026-01-02' } } });
    feed.receive({ kind: 'export', format: 'json' });
    assert.deepEqual(asked, [
      'task-1',
      [{ from: '2025-12-30', to: '2026-01-05' }, 'csv'],
      [{ from: '2026-01-01', to: '2026-01-02' }, 'json'],
    ]);
  });

  it('sends nothing after it is disposed', async () => {
    const release = executor.hold('history');
    feed.receive({ kind: 'ready', view: defaultView });
    posted = [];
    feed.dispose();
    release();
    usageEvent();
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(posted, []);
  });
});
