import type { AirlockEvent } from './events';
import type { RunState } from './liveState';

type SnapshotEvent = Extract<
  AirlockEvent,
  { kind: 'snapshot.taken' | 'snapshot.restored' | 'snapshot.published' | 'snapshot.dropped' }
>;

/** What is kept of a run's files, and what they were made again. */
export function foldSnapshots(run: RunState, event: SnapshotEvent): void {
  switch (event.kind) {
    case 'snapshot.taken': {
      const { index, cause, tree, commit, filesChanged, atMs } = event;
      const taken = { index, cause, tree, commit, filesChanged, takenAtMs: atMs, verdict: null, branch: null };
      run.snapshots = [...run.snapshots.filter((other) => other.index !== index), taken];
      return;
    }
    case 'snapshot.restored':
      run.untoldRestore = { index: event.index, savedAs: run.untoldRestore?.savedAs ?? event.savedAs };
      return;
    case 'snapshot.published':
      run.snapshots = run.snapshots.map((snapshot) =>
        snapshot.index === event.index ? { ...snapshot, branch: event.branch } : snapshot,
      );
      return;
    case 'snapshot.dropped':
      run.snapshots = run.snapshots.filter(({ index }) => !event.indices.includes(index));
      return;
  }
}
