import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import { maxPastSessions } from '../../../src/core/pastSession';
import { ExecutorLink } from '../../../src/ui/executorLink';
import { SessionList } from '../../../src/ui/sessionList/sessionList';
import { FakeClock } from '../../fakes/clock';
import { FakeExecutor } from '../../fakes/executor';

describe('the list of sessions', () => {
  let clock: FakeClock;
  let executor: FakeExecutor;
  let list: SessionList;
  let seen: unknown[];

  beforeEach(async () => {
    clock = new FakeClock();
    executor = new FakeExecutor();
    await executor.add({ title: 'Round totals', prompt: 'p' });
    await executor.add({ title: 'Name things', prompt: 'p' });
    const link = new ExecutorLink(() => Promise.resolve(executor), silentLogger);
    list = new SessionList(link, clock);
    await link.ready();
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    await clock.advance(1000);
    seen = [];
    list.onDidChange((change) => seen.push(change));
  });

  afterEach(() => {
    list.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  const close = (sessionId: string, breach: string | null = null): void => {
    executor.append({ kind: 'session.closed', sessionId, reason: 'the agent is done', breach });
  };

  it('shows what a living session works on, what it does, and what can be done', () => {
    executor.nowMs = clock.nowMs();
    const { label, icon, contextValue } = list.rowOf('session-1') ?? assert.fail();
    assert.deepEqual(
      { label, icon, contextValue },
      {
        label: 'Round totals',
        icon: { id: 'terminal', color: 'charts.blue' },
        contextValue: ' session openTerminal takeOver goToTask ',
      },
    );
    assert.match(list.rowOf('session-1')?.accessibleLabel ?? '', /^Round totals, living session, working · /);
  });

  it('makes one row anew when the user takes the keyboard, and none for what a row does not show', async () => {
    executor.append({ kind: 'session.takenOver', sessionId: 'session-1' });
    executor.append({ kind: 'run.progress', runId: 'run-1', message: 'reading', percent: 10 });
    await clock.advance(1000);
    assert.deepEqual(seen, [{ kind: 'some', sessions: new Set(['session-1']) }]);
    assert.match(list.rowOf('session-1')?.description ?? '', /^you have the keyboard · /);
    assert.match(list.rowOf('session-1')?.contextValue ?? '', / giveBack /);
  });

  it('keeps a session that is over, with how it ended and why', async () => {
    executor.beginRun('task-2', { runId: 'run-2', sessionId: 'session-2' });
    close('session-1');
    close('session-2', 'memory: it used 2 GiB');
    await clock.advance(1000);
    assert.deepEqual([list.shownGroups(), list.idsOf('ended')], [['ended'], ['session-2', 'session-1']]);
    const rows = list.idsOf('ended').map((id) => list.rowOf(id));
    assert.deepEqual(
      rows.map((row) => [row?.description.split(' · ')[0], row?.icon.id, row?.contextValue]),
      [
        ['broke its limit: memory: it used 2 GiB', 'warning', ' session replay goToTask '],
        ['the agent is done', 'debug-disconnect', ' session replay goToTask '],
      ],
    );
    assert.deepEqual(seen.at(-1), { kind: 'all' });
  });

  it('forgets the oldest of very many that are over', () => {
    close('session-1');
    for (let count = 0; count < maxPastSessions; count += 1) {
      executor.beginRun('task-2', { runId: `run-x${count}`, sessionId: `session-x${count}` });
      close(`session-x${count}`);
    }
    assert.equal(list.idsOf('ended').length, maxPastSessions);
    assert.equal(list.rowOf('session-1'), undefined);
  });

  it('lets ages go on while somebody looks, and rests when nobody does or nothing lives', async () => {
    list.setWatched(true);
    await clock.advance(1000);
    seen.length = 0;
    await clock.advance(60_000);
    assert.deepEqual(seen, [{ kind: 'some', sessions: new Set(['session-1']) }]);
    list.setWatched(false);
    assert.equal(clock.pendingTimers, 0);
    list.setWatched(true);
    await clock.advance(1000);
    close('session-1');
    await clock.advance(1000);
    assert.equal(clock.pendingTimers, 0);
  });
});
