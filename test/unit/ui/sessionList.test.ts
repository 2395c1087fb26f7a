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

  const uses = (...figures: [memoryMiB: number, cpuMs: number, monotonicMs: number][]): void => {
    executor.uses = figures.map(([memoryMiB, cpuMs, monotonicMs], index) => ({
      sessionId: `session-${index + 1}`,
      residentBytes: memoryMiB * 1024 ** 2,
      cpuMs,
      monotonicMs,
    }));
  };
  const asked = (): number => executor.calls.filter(({ command }) => command === 'sessionUse').length;
  /** The part of a row's description that tells what its session uses. */
  const useIn = (sessionId: string): string | undefined =>
    list.rowOf(sessionId)?.description.split(' · ').slice(1, -1).join(' · ');

  it('tells what a living session uses while somebody looks: memory at once, the processor from the second time on', async () => {
    uses([412, 1000, 50_000]);
    assert.equal(useIn('session-1'), '');
    list.setWatched(true);
    await clock.advance(1000);
    assert.equal(useIn('session-1'), '412 MiB');
    uses([1536, 2110, 53_000]);
    await clock.advance(3000);
    assert.equal(useIn('session-1'), '1.5 GiB · 37 %');
    assert.match(list.rowOf('session-1')?.accessibleLabel ?? '', /, working · 1\.5 GiB · 37 % · just now$/);
    assert.match(list.rowOf('session-1')?.tooltip ?? '', /Memory: 1\.5 GiB\n\nProcessor: 37 % of one core/);
    list.setWatched(false);
  });

  it('makes anew only the rows of which other figures are shown', async () => {
    executor.beginRun('task-2', { runId: 'run-2', sessionId: 'session-2' });
    uses([100, 0, 0], [200, 0, 0]);
    list.setWatched(true);
    await clock.advance(1000);
    uses([100, 0, 3000], [200, 0, 3000]);
    await clock.advance(3000);
    seen.length = 0;
    uses([100.2, 3, 6000], [250, 3000, 6000]);
    await clock.advance(3000);
    assert.deepEqual(seen, [{ kind: 'some', sessions: new Set(['session-2']) }]);
    assert.deepEqual([useIn('session-1'), useIn('session-2')], ['100 MiB · 0 %', '250 MiB · 100 %']);
    list.setWatched(false);
  });

  it('takes nothing for a measurement that cannot be one, and shows nothing that it does not know', async () => {
    uses([100, 9000, 90_000]);
    list.setWatched(true);
    await clock.advance(1000);
    // Another executor has taken over: its time has another beginning.
    uses([110, 9500, 2000]);
    await clock.advance(3000);
    assert.equal(useIn('session-1'), '110 MiB');
    uses([110, 9000, 5000]);
    await clock.advance(3000);
    assert.equal(useIn('session-1'), '110 MiB');
    executor.failNext('sessionUse', new Error('the executor is gone'));
    await clock.advance(3000);
    assert.equal(useIn('session-1'), '');
    uses([120, 9000, 20_000]);
    await clock.advance(3000);
    assert.equal(useIn('session-1'), '120 MiB');
    list.setWatched(false);
  });

  it('measures the processor over seconds in which somebody looked, and over no moment', async () => {
    uses([100, 0, 0]);
    list.setWatched(true);
    await clock.advance(1000);
    uses([100, 600, 3000]);
    await clock.advance(3000);
    // One that comes has all of them asked at once.
    uses([101, 620, 3020], [50, 0, 3020]);
    executor.beginRun('task-2', { runId: 'run-2', sessionId: 'session-2' });
    await clock.advance(1000);
    assert.deepEqual([useIn('session-1'), useIn('session-2')], ['101 MiB · 20 %', '50 MiB']);
    uses([101, 1200, 6000]);
    await clock.advance(3000);
    assert.equal(useIn('session-1'), '101 MiB · 20 %');
    list.setWatched(false);
    await clock.advance(60_000);
    uses([101, 60_000, 66_000]);
    list.setWatched(true);
    await clock.advance(1000);
    assert.equal(useIn('session-1'), '101 MiB');
    list.setWatched(false);
  });

  it('asks what sessions use only while somebody looks and one lives', async () => {
    await clock.advance(10_000);
    assert.equal(asked(), 0);
    list.setWatched(true);
    for (const stepMs of [1000, 3000, 3000]) await clock.advance(stepMs);
    assert.equal(asked(), 3);
    list.setWatched(false);
    await clock.advance(10_000);
    assert.equal(asked(), 3);
    list.setWatched(true);
    await clock.advance(1000);
    close('session-1');
    await clock.advance(10_000);
    assert.equal(asked(), 4);
    executor.beginRun('task-2', { runId: 'run-2', sessionId: 'session-2' });
    await clock.advance(1000);
    assert.equal(asked(), 5);
    list.setWatched(false);
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
