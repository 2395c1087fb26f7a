import assert from 'node:assert/strict';
import { isUserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type { EventBody } from '../../../src/core/events';
import type { HostedRun } from '../../../src/executor/hostedRun';
import type { ExecutorPorts } from '../../../src/executor/ports';
import { ProgressBreaker } from '../../../src/executor/progressBreaker';
import { treatmentOf } from '../../../src/executor/retryPolicy';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted, sampleCommit, sampleDigest, usageRecorded } from '../core/sampleEvents';

const base = '0'.repeat(40);

describe('the breaker of runs that get nowhere', () => {
  let log: MemoryLog;
  let told: string[];
  /** The files as they are now, and how far from the base. */
  let files: { tree: string; lines: number };

  beforeEach(async () => {
    log = new MemoryLog(new FakeClock());
    told = [];
    files = { tree: base, lines: 0 };
    await log.append([
      queued('a'),
      runStarted('r', 'a'),
      { kind: 'run.prepared', runId: 'r', baseCommit: sampleCommit, baseTree: base, notes: [] },
    ]);
  });

  function breaker(breakers: Partial<HostedRun['breakers']> = {}): ProgressBreaker {
    const snapshots = {
      workspace: { baseTree: base, changes: () => Promise.resolve([{ insertions: files.lines, deletions: null }]) },
      take: () => Promise.resolve({ tree: files.tree }),
    } as unknown as HostedRun['snapshots'];
    const ports: Partial<ExecutorPorts> = { events: log, logger: silentLogger };
    const limits = { maxIdleTurns: 4, maxUsdPerLine: null, ...breakers };
    return new ProgressBreaker(ports as ExecutorPorts, { runId: 'r', snapshots, breakers: limits }, (words) =>
      told.push(words),
    );
  }

  /** At which of its next looks it stops the run, and with what. */
  async function stopsAt(one: ProgressBreaker, most = 20): Promise<[number, string] | undefined> {
    for (let look = 1; look <= most; look += 1) {
      try {
        await one.look();
      } catch (error) {
        assert.ok(isUserError(error));
        assert.equal(treatmentOf(error), 'wait');
        return [look, error.code];
      }
    }
    return undefined;
  }

  it('tells the agent at half of the way, and stops it after the turns that it may have', async () => {
    // The first look is before its first turn.
    assert.deepEqual(await stopsAt(breaker()), [6, 'no-progress']);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^In your last 2 turns no file has changed/);
  });

  it('counts anew with whatever gets the run on', async () => {
    const one = breaker();
    const reports = [null, 40].map((percent) => async () => one.reported(percent, 'found it'));
    const events: EventBody[] = [
      {
        kind: 'snapshot.taken',
        runId: 'r',
        index: 1,
        cause: 'turn',
        tree: 'a'.repeat(40),
        commit: sampleCommit,
        filesChanged: 1,
      },
      { kind: 'evidence.recorded', runId: 'r', round: 0, tree: 'a'.repeat(40), verdict: 'contradicted' },
      { kind: 'run.claimed', runId: 'r', claims: sampleDigest },
      { kind: 'question.asked', runId: 'r', callId: '1', text: 'Which one?' },
      { kind: 'question.answered', runId: 'r', answer: sampleDigest },
    ];
    for (const step of [...reports, ...events.map((event) => async () => void (await log.append([event])))]) {
      assert.equal(await stopsAt(one, 4), undefined);
      await step();
    }
    assert.deepEqual(await stopsAt(one), [6, 'no-progress']);
  });

  it('sees files that were not kept yet, and takes none for new that were there before', async () => {
    const one = breaker();
    files.tree = 'b'.repeat(40);
    await stopsAt(one, 6);
    files.tree = base;
    assert.deepEqual(await stopsAt(one), [5, 'no-progress']);
  });

  it('does not take calls for progress, nor the same report again', async () => {
    const one = breaker();
    for (let turn = 0; turn < 5; turn += 1) {
      await one.look();
      await log.append([
        { kind: 'tool.called', runId: 'r', callId: String(turn), name: 'read', summary: `file ${turn}` },
      ]);
      one.reported(10, 'still at it');
    }
    assert.deepEqual(await stopsAt(one), [1, 'no-progress']);
  });

  it('never stops a run when it is off', async () => {
    assert.equal(await stopsAt(breaker({ maxIdleTurns: 0 }), 500), undefined);
    assert.deepEqual(told, []);
  });

  it('stops a run whose change is too dear, a small one counted as 20 lines, and lets it cost as much again after that', async () => {
    const dear = { maxIdleTurns: 0, maxUsdPerLine: 0.5 };
    const costs = (usd: number): Promise<unknown> => log.append([usageRecorded('r', usd)]);
    const first = breaker(dear);
    await first.look();
    await costs(10);
    assert.equal(await stopsAt(first), undefined);
    await costs(1);
    files.lines = 25;
    assert.equal(await stopsAt(first), undefined);
    files.lines = 21;
    assert.deepEqual(await stopsAt(first), [1, 'change-too-dear']);
    const second = breaker(dear);
    assert.equal(await stopsAt(second), undefined);
    await costs(9);
    assert.equal(await stopsAt(second), undefined);
    await costs(3);
    assert.deepEqual(await stopsAt(second), [1, 'change-too-dear']);
  });

  it('guesses no cost', async () => {
    const one = breaker({ maxUsdPerLine: 0.001, maxIdleTurns: 0 });
    await one.look();
    await log.append([usageRecorded('r', 100), usageRecorded('r', null)]);
    assert.equal(await stopsAt(one), undefined);
  });
});
