import assert from 'node:assert/strict';
import { CancelledError, UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type { Executor } from '../../../src/core/executor';
import { emptyState } from '../../../src/core/liveState';
import { ExecutorLink } from '../../../src/ui/executorLink';
import { FakeExecutor } from '../../fakes/executor';

describe('the link to the executor', () => {
  it('shows an empty state until the executor is open, and then tells to show everything anew', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: 'p' });
    const link = new ExecutorLink(() => Promise.resolve(executor), silentLogger);
    const seen: string[] = [];
    link.onDidReset(() => seen.push(`${link.status.kind} ${link.state.tasks.size}`));
    link.open();
    await link.settled();
    assert.deepEqual(seen, ['opening 0', 'open 1']);
  });

  it('opens once, however often it is asked', async () => {
    let opened = 0;
    const link = new ExecutorLink(() => {
      opened += 1;
      return Promise.resolve(new FakeExecutor());
    }, silentLogger);
    link.open();
    await Promise.all([link.ready(), link.ready()]);
    link.open();
    assert.equal(opened, 1);
  });

  it('passes events on, also those of the executor that is opened next', async () => {
    const executors = [new FakeExecutor(), new FakeExecutor()];
    let next = 0;
    const link = new ExecutorLink(() => Promise.resolve(executors[next++] as Executor), silentLogger);
    const seen: string[] = [];
    link.onDidAppend((events) => seen.push(...events.map(({ kind }) => kind)));
    await link.ready();
    await executors[0]?.startQueue();
    await link.reopen();
    assert.deepEqual([executors[0]?.shutdowns, executors[0]?.disposed], [1, true]);
    await executors[0]?.add({ title: 'unheard', prompt: 'p' });
    await executors[1]?.add({ title: 'heard', prompt: 'p' });
    assert.deepEqual(seen, ['queue.changed', 'task.queued']);
  });

  it('waits for one that works the queue, be it found or opened anew', async () => {
    const [follows, works] = [new FakeExecutor(), new FakeExecutor()];
    follows.place = { kind: 'nowhere' };
    let next = 0;
    const link = new ExecutorLink(() => Promise.resolve([follows, works][next++] as Executor), silentLogger);
    const [first, ended] = [link.working(), link.working()];
    await link.reopen();
    assert.deepEqual([await first, await ended], [works, works]);
    works.reset(emptyState(), { kind: 'nowhere' });
    const found = link.working();
    works.reset(emptyState(), { kind: 'elsewhere', pid: 1 });
    assert.equal(await found, works);
    works.reset(emptyState(), { kind: 'nowhere' });
    const never = link.working();
    await link.shutdown();
    await assert.rejects(never, CancelledError);
  });

  it('never holds two executors at once, however often it is opened again while one still ends', async () => {
    let living = 0;
    let most = 0;
    const link = new ExecutorLink(async () => {
      living += 1;
      most = Math.max(most, living);
      const executor = new FakeExecutor();
      executor.shutdown = async () => {
        await new Promise<void>((resolve) => setImmediate(resolve));
        living -= 1;
      };
      return executor;
    }, silentLogger);
    link.open();
    await link.settled();
    await Promise.all([link.reopen(), link.reopen(), link.reopen()]);
    assert.deepEqual([most, living, link.status.kind], [1, 1, 'open']);
    await link.shutdown();
    assert.equal(living, 0);
  });

  it('says why it could not be opened, and can be opened again', async () => {
    const answers: (() => Promise<Executor>)[] = [
      () => Promise.reject(new Error('disk is gone')),
      () => Promise.resolve(new FakeExecutor()),
    ];
    const link = new ExecutorLink(() => (answers.shift() ?? assert.fail)(), silentLogger);
    link.open();
    await link.settled();
    assert.equal(link.status.kind, 'failed');
    await link.ready();
    assert.equal(link.status.kind, 'open');
  });

  it("keeps the executor's own words about what the user can mend", async () => {
    const error = new UserError('journal-newer', 'A newer Airlock wrote this.');
    const link = new ExecutorLink(() => Promise.reject(error), silentLogger);
    await assert.rejects(link.ready(), error);
    const other = new ExecutorLink(() => Promise.reject(new Error('boom')), silentLogger);
    await assert.rejects(other.ready(), { name: 'UserError', code: 'executor-unavailable' });
  });

  it('ends the executor that is still opening when the window closes, and opens none after that', async () => {
    const executor = new FakeExecutor();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const link = new ExecutorLink(() => held.then(() => executor), silentLogger);
    link.open();
    const ended = link.shutdown();
    release();
    await ended;
    assert.deepEqual([executor.shutdowns, executor.disposed, link.state], [1, true, emptyState()]);
    await assert.rejects(link.ready(), CancelledError);
  });
});
