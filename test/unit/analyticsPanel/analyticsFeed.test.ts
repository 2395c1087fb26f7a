import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import { noUsage } from '../../../src/core/usage';
import type { ToAnalyticsPage } from '../../../src/protocol/analyticsProtocol';
import { toAnalyticsPageSchema } from '../../../src/protocol/analyticsProtocol';
import { AnalyticsFeed, refreshDelayMs, taskPage } from '../../../src/ui/analytics/analyticsFeed';
import { FakeClock, settle } from '../../fakes/clock';
import { dailyRow, HistoryExecutor, taskRow } from '../../fakes/historyExecutor';

describe('the feed of the analytics page', () => {
  let executor: HistoryExecutor;
  let clock: FakeClock;
  let posted: ToAnalyticsPage[];
  let warnings: string[];
  let feed: AnalyticsFeed;

  beforeEach(() => {
    executor = new HistoryExecutor();
    clock = new FakeClock(Date.UTC(2026, 0, 5, 12));
    posted = [];
    warnings = [];
    feed = new AnalyticsFeed({
      executor,
      clock,
      logger: { ...silentLogger, warn: (message) => warnings.push(message) },
      post: (message) => posted.push(message),
    });
  });

  afterEach(() => feed.dispose());

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
    executor.daily = [dailyRow('2026-01-04', { costUsd: 1.5, requests: 3 })];
    executor.tasks = [taskRow('task-1')];
    feed.receive({ kind: 'ready', period: 7 });
    await settle();
    assert.deepEqual(kinds(), ['loading', 'figures']);
    const last = toAnalyticsPageSchema.parse(posted.at(-1));
    assert.ok(last.kind === 'figures');
    const { daily, ...rest } = last.figures;
    assert.deepEqual(
      daily.map((row) => [row.day, row.costUsd]),
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
      period: 7,
      byModel: [],
      tasks: [taskRow('task-1')],
      hasMoreTasks: false,
      updatedAtMs: clock.nowMs(),
    });
  });

  it('gathers events that change the figures into one refresh', async () => {
    feed.receive({ kind: 'ready', period: 30 });
    await settle();
    posted = [];
    for (let n = 0; n < 20; n++) usageEvent();
    assert.deepEqual(posted, []);
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(kinds(), ['figures']);
  });

  it('leaves the figures alone when an event does not change them', async () => {
    feed.receive({ kind: 'ready', period: 30 });
    await settle();
    posted = [];
    executor.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(posted, []);
  });

  it('reads everything anew when the executor is replaced', async () => {
    feed.receive({ kind: 'ready', period: 30 });
    await settle();
    posted = [];
    executor.reset(executor.state);
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(kinds(), ['figures']);
  });

  it('asks nothing while the page is hidden, and goes on when it is ready again', async () => {
    feed.receive({ kind: 'ready', period: 30 });
    await settle();
    usageEvent();
    feed.pageHidden();
    posted = [];
    usageEvent();
    await clock.advance(10 * refreshDelayMs);
    await settle();
    assert.deepEqual(posted, []);
    feed.receive({ kind: 'ready', period: 30 });
    await settle();
    assert.deepEqual(kinds(), ['loading', 'figures']);
  });

  it('shows the answer to the last question alone', async () => {
    const release = executor.hold('history');
    feed.receive({ kind: 'ready', period: 365 });
    feed.receive({ kind: 'choosePeriod', period: 7 });
    release();
    await settle();
    assert.deepEqual(
      posted.map((message) => (message.kind === 'figures' ? message.figures.period : message.kind)),
      ['loading', 7],
    );
  });

  it('says why when the history cannot be read, and tries again when asked', async () => {
    executor.failNext('history', new Error('the database is gone'));
    feed.receive({ kind: 'ready', period: 30 });
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
    feed.receive({ kind: 'ready', period: 30 });
    await settle();
    assert.deepEqual(shown(), [taskPage, true]);
    feed.receive({ kind: 'showMoreTasks' });
    await settle();
    assert.deepEqual(shown(), [taskPage + 1, false]);
  });

  it('never asks for more tasks than history gives', async () => {
    feed.receive({ kind: 'ready', period: 30 });
    for (let n = 0; n < 100; n++) feed.receive({ kind: 'showMoreTasks' });
    await settle();
    const limits = executor.calls.map(({ args }) => args[0] as { kind: string; limit?: number });
    assert.equal(Math.max(...limits.map((query) => query.limit ?? 0)), 1000);
  });

  for (const [what, message] of [
    ['an unknown intent', { kind: 'deleteEverything' }],
    ['a period that is not offered', { kind: 'choosePeriod', period: 100_000 }],
    ['no object at all', 'ready'],
  ] as const) {
    it(`drops ${what}, and the log says so`, async () => {
      feed.receive({ kind: 'ready', period: 30 });
      await settle();
      posted = [];
      feed.receive(message);
      await settle();
      assert.deepEqual({ posted, warnings: warnings.length }, { posted: [], warnings: 1 });
    });
  }

  it('sends nothing after it is disposed', async () => {
    const release = executor.hold('history');
    feed.receive({ kind: 'ready', period: 30 });
    posted = [];
    feed.dispose();
    release();
    usageEvent();
    await clock.advance(refreshDelayMs);
    await settle();
    assert.deepEqual(posted, []);
  });
});
