import { strict as assert } from 'node:assert';
import { changedPaths } from '../../../src/sessions/folderListing';
import { PausableTimer } from '../../../src/sessions/pausableTimer';
import { PauseGate } from '../../../src/sessions/pauseGate';
import { FakeClock } from '../../fakes/clock';

describe('a timer that can be paused', () => {
  it('counts the time only while it runs, and calls once', async () => {
    const clock = new FakeClock();
    let calls = 0;
    const timer = new PausableTimer(clock, 100, () => (calls += 1));
    await clock.advance(60);
    timer.pause();
    timer.pause();
    await clock.advance(1_000);
    timer.resume();
    await clock.advance(39);
    assert.equal(calls, 0);
    await clock.advance(1);
    timer.resume();
    await clock.advance(1_000);
    assert.deepEqual([calls, clock.pendingTimers], [1, 0]);
  });

  it('never calls once it is disposed of', async () => {
    const clock = new FakeClock();
    const timer = new PausableTimer(clock, 100, () => assert.fail('it called'));
    timer.dispose();
    timer.resume();
    await clock.advance(1_000);
  });
});

describe('the gate', () => {
  it('lets through at once while it is open, and all when it opens', async () => {
    const gate = new PauseGate();
    await gate.whenOpen();
    gate.close();
    let passed = 0;
    const waiting = [1, 2].map(() => gate.whenOpen().then(() => (passed += 1)));
    await Promise.resolve();
    assert.equal(passed, 0);
    gate.open();
    await Promise.all(waiting);
    assert.equal(passed, 2);
  });

  it('keeps nobody who has given up', async () => {
    const gate = new PauseGate();
    gate.close();
    const abort = new AbortController();
    const waiting = gate.whenOpen(abort.signal);
    abort.abort();
    await waiting;
    await gate.whenOpen(abort.signal);
    assert.equal(gate.isClosed, true);
  });
});

describe('two listings of a folder', () => {
  it('differ in what was added, changed or deleted', () => {
    const before = new Map([
      ['same', '1 1'],
      ['deleted', '1 2'],
      ['changed', '1 3'],
      ['replaced', '1 4'],
    ]);
    const after = new Map([
      ['same', '1 1'],
      ['changed', '2 3'],
      ['replaced', '1 5'],
      ['added', '2 6'],
    ]);
    assert.deepEqual(changedPaths(before, after), ['added', 'changed', 'deleted', 'replaced']);
  });
});
