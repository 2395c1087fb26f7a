import assert from 'node:assert/strict';
import type { EventBody } from '../../../src/core/events';
import { taskOf } from '../../../src/core/liveState';
import type { TaskSpec } from '../../../src/core/task';
import { OpenTasks } from '../../../src/executor/openTasks';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { queued } from '../core/sampleEvents';

const mine = (id: string): TaskSpec['origin'] => ({ sourceId: 'user', externalId: id });
const never = (): boolean => false;
const always = (): boolean => true;

describe('the tasks that may get a slot', () => {
  let log: MemoryLog;
  let open: OpenTasks;
  const working = new Set<string>();
  beforeEach(() => {
    log = new MemoryLog(new FakeClock());
    working.clear();
    open = new OpenTasks(log.state, (id) => working.has(id));
    log.onDidAppend((events) => {
      for (const event of events) open.update(taskOf(log.state, event) ?? '');
    });
  });

  const add = (id: string, spec: Partial<TaskSpec> = {}): Promise<unknown> =>
    log.append([queued(id, { origin: mine(id), ...spec }), { kind: 'task.accepted', taskId: id }]);

  /** All of them, in the order in which they would be taken. */
  const order = (tasks = open, isFull: Parameters<OpenTasks['first']>[1] = never): string[] => {
    const taken: string[] = [];
    for (;;) {
      const next = tasks.first((task) => !taken.includes(task.id), isFull);
      if (!next) return taken;
      taken.push(next.id);
    }
  };

  it('come by priority, age and arrival, whatever repository and persona they are for', async () => {
    await add('low', { priority: 3 });
    await add('other', { repo: '/other' });
    await add('mid');
    await add('urgent', { priority: 0, persona: 'tester' });
    assert.deepEqual(order(), ['urgent', 'other', 'mid', 'low']);
    await log.append([{ kind: 'task.changed', taskId: 'low', repo: '/other', priority: 0 }]);
    assert.deepEqual(order(), ['low', 'urgent', 'other', 'mid']);
  });

  it('leave out all that compete for what is full', async () => {
    await add('a', { repo: '/full' });
    await add('b', { repo: '/free' });
    assert.deepEqual(
      order(open, ({ repo }) => repo === '/full'),
      ['b'],
    );
  });

  it('go when they end or wait, and come back', async () => {
    await add('a');
    await log.append([{ kind: 'task.waiting', taskId: 'a', on: 'user', reason: 'which?' }]);
    assert.deepEqual(order(), []);
    await log.append([{ kind: 'task.requeued', taskId: 'a', reason: '', notBeforeMs: 0 }]);
    assert.deepEqual(order(), ['a']);
    await log.append([{ kind: 'task.ended', taskId: 'a', outcome: 'failed', reason: '', runId: null }]);
    assert.deepEqual(order(), []);
  });

  it('wait for their dependency, come when it is verified, and are suspects when it fails', async () => {
    await add('first');
    await add('second', { dependsOn: ['first'] });
    assert.deepEqual(order(), ['first']);
    const ends = (outcome: 'verified' | 'failed'): EventBody => ({
      kind: 'task.ended',
      taskId: 'first',
      outcome,
      reason: '',
      runId: null,
    });
    await log.append([ends('failed')]);
    assert.deepEqual([order(), open.takeSuspects().map(({ id }) => id)], [[], ['second']]);
    await log.append([{ kind: 'task.blocked', taskId: 'second', reason: 'first failed' }]);
    assert.deepEqual(open.takeSuspects(), []);
    await log.append([ends('verified')]);
    assert.deepEqual(
      open.takeSuspects().map(({ id }) => id),
      ['second'],
    );
    await log.append([{ kind: 'task.requeued', taskId: 'second', reason: '', notBeforeMs: 0 }]);
    assert.deepEqual(order(), ['second']);
  });

  it('count what a source believes to be in work here', async () => {
    await log.append([queued('a', { origin: { sourceId: 'far', externalId: 'a' } })]);
    await log.append([queued('b', { origin: { sourceId: 'far', externalId: 'b' } })]);
    assert.equal(open.heldFor('far'), 0);
    await log.append([{ kind: 'task.accepting', taskId: 'a' }]);
    working.add('b');
    open.update('b');
    assert.equal(open.heldFor('far'), 2);
    await log.append([{ kind: 'task.ended', taskId: 'a', outcome: 'failed', reason: '', runId: null }]);
    assert.equal(open.heldFor('far'), 1);
  });

  it('are the same when they are followed as when they are read anew', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `task-${index}`);
    for (const [index, id] of ids.entries()) {
      await add(id, {
        priority: (index % 4) as TaskSpec['priority'],
        repo: index % 3 === 0 ? null : `/repo-${index % 5}`,
        dependsOn: index % 7 === 3 ? [`task-${index - 1}`] : [],
      });
      if (index % 5 === 0) await log.append([{ kind: 'task.waiting', taskId: id, on: 'user', reason: '' }]);
      if (index % 6 === 2)
        await log.append([{ kind: 'task.ended', taskId: id, outcome: 'verified', reason: '', runId: null }]);
      if (index % 10 === 0) await log.append([{ kind: 'task.requeued', taskId: id, reason: '', notBeforeMs: 0 }]);
    }
    assert.deepEqual(order(), order(new OpenTasks(log.state, never)));
    assert.equal(order().length > 20, true);
    assert.equal(open.first(always, always), undefined);
  });
});
