import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import { ExecutorLink } from '../../../src/ui/executorLink';
import { LookedAt } from '../../../src/ui/tasks/lookedAt';
import { TaskFilter } from '../../../src/ui/tasks/taskFilter';
import { TaskList } from '../../../src/ui/tasks/taskList';
import { FakeClock, settle } from '../../fakes/clock';
import { FakeExecutor } from '../../fakes/executor';

describe('the filter of the task tree', () => {
  let clock: FakeClock;
  let executor: FakeExecutor;
  let list: TaskList;
  let filter: TaskFilter;
  let kept: Map<string, unknown>;
  let link: ExecutorLink;
  let seen: unknown[];

  beforeEach(async () => {
    clock = new FakeClock();
    executor = new FakeExecutor();
    await executor.add({ title: 'Fix the parser', prompt: 'It drops the last line.', persona: 'implementer' });
    await executor.add({ title: 'Sort the names', prompt: 'With the collation of the user.' });
    const origin = { sourceId: 'zmemory:team', externalId: 'T-17' };
    await executor.add({ title: 'Add a test', prompt: 'For what the parser skips.', origin });
    kept = new Map();
    link = new ExecutorLink(() => Promise.resolve(executor), silentLogger);
    const memory = {
      get: (key: string) => kept.get(key),
      update: async (key: string, value: unknown) => void kept.set(key, value),
    };
    list = new TaskList(link, clock, new LookedAt(memory));
    filter = new TaskFilter(list, link, memory);
    await link.ready();
    await pass();
    filter.onDidChange((change) => seen.push(change));
    seen = [];
  });

  afterEach(() => {
    filter.dispose();
    list.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  async function pass(): Promise<void> {
    await clock.advance(1000);
    await settle();
  }

  async function look(text: string): Promise<readonly string[]> {
    await filter.set(text, { keep: true });
    await pass();
    return filter.idsOf('queued');
  }

  it('finds by title, prompt, id, source, persona and status, in any case', async () => {
    assert.deepEqual(await look('SORT'), ['task-2']);
    assert.deepEqual(await look('collation'), ['task-2']);
    assert.deepEqual(await look('task-3'), ['task-3']);
    assert.deepEqual(await look('zmemory'), ['task-3']);
    assert.deepEqual(await look('t-17'), ['task-3']);
    assert.deepEqual(await look('implementer'), ['task-1']);
    assert.deepEqual(await look('queued'), ['task-1', 'task-2', 'task-3']);
    assert.deepEqual(await look('failed'), []);
  });

  it('wants every word, wherever each of them is', async () => {
    assert.deepEqual(await look('parser'), ['task-1', 'task-3']);
    assert.deepEqual(await look('parser  test'), ['task-3']);
    assert.deepEqual(await look('parser names'), []);
  });

  it('shows all again when there are no words, and says how many it shows', async () => {
    await look('parser');
    assert.deepEqual(filter.counts(), { shown: 2, all: 3 });
    await look('  ');
    assert.deepEqual([filter.isOn, filter.counts()], [false, { shown: 3, all: 3 }]);
  });

  it('shows no group that it finds nothing in, and says where a task is shown', async () => {
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    await pass();
    await look('names');
    assert.deepEqual([filter.shownGroups(), list.shownGroups()], [['queued'], ['running', 'queued']]);
    assert.deepEqual([filter.groupOf('task-1'), filter.groupOf('task-2')], [undefined, 'queued']);
  });

  it('tells one row of one event, and nothing of a task that it hides', async () => {
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    executor.beginRun('task-2', { runId: 'run-2', sessionId: 'session-2' });
    await pass();
    await look('names');
    seen.length = 0;
    for (const runId of ['run-1', 'run-2']) {
      executor.append({ kind: 'run.progress', runId, message: 'reading', percent: 10 });
      await pass();
    }
    assert.deepEqual(seen, [
      { kind: 'some', tasks: new Set(), groups: new Set() },
      { kind: 'some', tasks: new Set(['task-2']), groups: new Set() },
    ]);
  });

  it('lets a task come and go with what it becomes', async () => {
    await look('queued');
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    await pass();
    assert.deepEqual([filter.idsOf('queued'), filter.shownGroups()], [['task-2', 'task-3'], ['queued']]);
    seen.length = 0;
    await executor.add({ title: 'One more', prompt: 'p' });
    await pass();
    assert.deepEqual(seen, [{ kind: 'some', tasks: new Set(['task-4']), groups: new Set(['queued']) }]);
    assert.deepEqual(filter.idsOf('queued'), ['task-2', 'task-3', 'task-4']);
  });

  it('finds a prompt of a task that comes later, as soon as it is read', async () => {
    assert.deepEqual(await look('pagination'), []);
    await executor.add({ title: 'List', prompt: 'Wants pagination.' });
    await pass();
    assert.deepEqual([filter.idsOf('queued'), filter.shownGroups()], [['task-4'], ['queued']]);
  });

  it('looks on when a prompt cannot be read, and reads it again from an executor that came anew', async () => {
    executor.failNext('readBlob', new Error('Nobody is there.'));
    assert.deepEqual(await look('line'), []);
    assert.deepEqual(await look('collation'), ['task-2']);
    assert.deepEqual(await look('line'), []);
    executor.reset(executor.state);
    await pass();
    assert.deepEqual(filter.idsOf('queued'), ['task-1']);
  });

  it('is there again after a reload when it was to be kept', async () => {
    await look('parser');
    await filter.set('names', { keep: false });
    const again = new TaskFilter(list, link, { get: (key) => kept.get(key), update: async () => {} });
    await pass();
    assert.deepEqual([again.text, again.idsOf('queued')], ['parser', ['task-1', 'task-3']]);
    again.dispose();
  });

  it('looks at 10,000 tasks for new words, and at one task for one event', async () => {
    const spec = executor.state.tasks.get('task-1')?.spec;
    assert.ok(spec);
    const ids = Array.from({ length: 10_000 }, (_, index) => `more-${index}`);
    executor.append(...ids.map((taskId) => ({ kind: 'task.queued', taskId, spec }) as const));
    executor.beginRun('task-2', { runId: 'run-2', sessionId: 'session-2' });
    await pass();
    assert.equal((await look('more-77')).length, 111);
    let looks = 0;
    const { tasks } = executor.state;
    const get = tasks.get.bind(tasks);
    tasks.get = (taskId) => {
      looks += 1;
      return get(taskId);
    };
    executor.append({ kind: 'run.progress', runId: 'run-2', message: 'reading', percent: 10 });
    await pass();
    assert.ok(looks < 20, `${looks} tasks were looked at`);
  });
});
