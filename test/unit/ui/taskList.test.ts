import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { TaskOutcome } from '../../../src/core/task';
import { Coalescer } from '../../../src/ui/coalescer';
import { ExecutorLink } from '../../../src/ui/executorLink';
import { LookedAt } from '../../../src/ui/tasks/lookedAt';
import { TaskList } from '../../../src/ui/tasks/taskList';
import { firstPage, nextPage, TaskPages } from '../../../src/ui/tasks/taskPages';
import { FakeClock } from '../../fakes/clock';
import { FakeExecutor } from '../../fakes/executor';

describe('the task list', () => {
  let clock: FakeClock;
  let executor: FakeExecutor;
  let list: TaskList;
  let kept: Map<string, unknown>;
  let lookedAt: LookedAt;
  let seen: unknown[];

  beforeEach(async () => {
    clock = new FakeClock();
    executor = new FakeExecutor();
    for (const title of ['a', 'b']) await executor.add({ title, prompt: 'p' });
    const link = new ExecutorLink(() => Promise.resolve(executor), silentLogger);
    kept = new Map();
    lookedAt = new LookedAt({
      get: (key) => kept.get(key),
      async update(key, value) {
        kept.set(key, value);
      },
    });
    list = new TaskList(link, clock, lookedAt);
    await link.ready();
    await clock.advance(1000);
    seen = [];
    list.onDidChange((change) => seen.push(change));
  });

  afterEach(() => {
    list.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  it('makes one change of a burst of events, after a first one at once', async () => {
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    await clock.advance(1000);
    seen.length = 0;
    for (const percent of [1, 2, 3, 4])
      executor.append({ kind: 'run.progress', runId: 'run-1', message: 'm', percent });
    await clock.advance(1000);
    const row = { kind: 'some', tasks: new Set(['task-1']), groups: new Set() };
    assert.deepEqual(seen, [row, row]);
  });

  it('shows everything anew when a group comes or goes, and after a reset', async () => {
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    await clock.advance(1000);
    executor.reset(executor.state);
    await clock.advance(1000);
    assert.deepEqual(seen, [{ kind: 'all' }, { kind: 'all' }]);
    assert.deepEqual(list.counts(), { needsYou: 0, running: 1, queued: 1, done: 0 });
  });

  it('says that something happened even when no task changed', async () => {
    await executor.startQueue();
    assert.deepEqual(seen, [{ kind: 'some', tasks: new Set(), groups: new Set() }]);
    await clock.advance(1000);
  });

  it('keeps a result that nothing vouches for with the user until it was looked at, and over a restart', async () => {
    end('task-1', 'contradicted');
    end('task-2', 'verified');
    await clock.advance(1000);
    assert.deepEqual(list.counts(), { needsYou: 1, running: 0, queued: 0, done: 1 });
    assert.equal(list.abilitiesOf('task-1').has('markReviewed'), true);
    await lookedAt.add(executor.state, ['task-1', 'task-2']);
    await clock.advance(1000);
    assert.deepEqual(list.counts(), { needsYou: 0, running: 0, queued: 0, done: 2 });
    assert.equal(list.abilitiesOf('task-1').has('markReviewed'), false);
    executor.reset(executor.state);
    await clock.advance(1000);
    assert.deepEqual(list.counts(), { needsYou: 0, running: 0, queued: 0, done: 2 });
    assert.deepEqual([...kept.values()], [['task-1/0']]);
  });

  it('shows the result of another attempt anew', async () => {
    end('task-1', 'failed');
    await lookedAt.add(executor.state, ['task-1']);
    await executor.retry('task-1');
    executor.beginRun('task-1', { runId: 'run-2', sessionId: 'session-2' });
    end('task-1', 'failed');
    await clock.advance(1000);
    assert.deepEqual(list.idsOf('needsYou'), ['task-1']);
  });

  function end(taskId: string, outcome: TaskOutcome): void {
    executor.append({ kind: 'task.ended', taskId, outcome, reason: '', runId: null });
  }
});

describe('a coalescer', () => {
  it('hands over at once, then at most once in its time, and rests when nothing comes', async () => {
    const clock = new FakeClock();
    let flushed = 0;
    const coalescer = new Coalescer(clock, 100, () => (flushed += 1));
    for (let count = 0; count < 5; count += 1) coalescer.trigger();
    assert.equal(flushed, 1);
    await clock.advance(100);
    assert.equal(flushed, 2);
    await clock.advance(1000);
    assert.deepEqual([flushed, clock.pendingTimers], [2, 0]);
    coalescer.trigger();
    coalescer.dispose();
    coalescer.trigger();
    assert.deepEqual([flushed, clock.pendingTimers], [3, 0]);
  });
});

describe('pages', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => index);

  it('show the first rows of a long group and say how many are hidden', () => {
    const pages = new TaskPages();
    const { shown, hidden } = pages.pageOf('done', ids);
    assert.deepEqual([shown.length, hidden], [firstPage, 10_000 - firstPage]);
    pages.showMore('done');
    assert.equal(pages.pageOf('done', ids).shown.length, firstPage + nextPage);
    assert.equal(pages.pageOf('queued', ids).shown.length, firstPage);
  });

  it('spend no row on hiding a single one', () => {
    assert.equal(new TaskPages().pageOf('done', ids.slice(0, firstPage + 1)).hidden, 0);
  });
});
