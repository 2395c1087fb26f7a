import assert from 'node:assert/strict';
import { applyEvent } from '../../../src/core/fold';
import { emptyState } from '../../../src/core/liveState';
import { type RunSnapshot, supernumerary } from '../../../src/core/runSnapshot';
import { fromWire, toWire } from '../../../src/core/snapshot';
import { asEvents, queued, runStarted, sampleCommit } from './sampleEvents';

function kept(index: number, verdict: RunSnapshot['verdict'] = null): RunSnapshot {
  return {
    index,
    cause: 'turn',
    tree: `${index}`.repeat(40),
    commit: sampleCommit,
    filesChanged: 1,
    takenAtMs: 0,
    verdict,
    branch: null,
  };
}

describe('The snapshots of a run', () => {
  it('make room from the oldest on, but for those that were judged and the newest', () => {
    const snapshots = [kept(1), kept(2, 'contradicted'), kept(3), kept(4), kept(7)];
    assert.deepEqual(supernumerary(snapshots, 2), [1, 3]);
    assert.deepEqual(supernumerary(snapshots, 10), []);
    assert.deepEqual(supernumerary(snapshots, 0), [1, 3, 4]);
  });

  it('are folded: taken in order, judged by their files, dropped by their number', () => {
    const state = emptyState();
    const [runId, taskId] = ['run-1', 'task-1'];
    const taken = (index: number) => {
      const { cause, tree, commit, filesChanged } = kept(index);
      return { kind: 'snapshot.taken', runId, index, cause, tree, commit, filesChanged } as const;
    };
    const events = asEvents([
      queued(taskId),
      runStarted(runId, taskId),
      taken(1),
      taken(2),
      taken(3),
      { kind: 'evidence.recorded', runId, round: 0, verdict: 'verified', tree: '2'.repeat(40) },
      { kind: 'snapshot.dropped', runId, indices: [1] },
    ]);
    for (const event of events) applyEvent(state, event);
    assert.deepEqual(state.runs.get(runId)?.snapshots, [
      { ...kept(2, 'verified'), takenAtMs: 4_000 },
      { ...kept(3), takenAtMs: 5_000 },
    ]);
  });

  it('are none in a state that was written before there were any', () => {
    const state = emptyState();
    for (const event of asEvents([queued('task-1'), runStarted('run-1', 'task-1')])) applyEvent(state, event);
    const old: unknown = JSON.parse(
      JSON.stringify(toWire(state), (key, value: unknown) => (key === 'snapshots' ? undefined : value)),
    );
    assert.deepEqual(fromWire(old).runs.get('run-1')?.snapshots, []);
  });
});
