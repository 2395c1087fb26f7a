import { z } from 'zod';
import type { Verdict } from './evidence';
import type { ObjectId } from './ids';

/** Why a run's files were kept: a turn of the agent's changed them, they were to be judged, or they were about to be put back. */
export const snapshotCauseSchema = z.enum(['turn', 'verdict', 'restore']);
export type SnapshotCause = z.infer<typeof snapshotCauseSchema>;

/** The files of a run as they were once, kept in the run's own git directory. */
export interface RunSnapshot {
  /** From 1, in the order of taking; numbers of dropped ones are not used again. 0 stands for the base. */
  readonly index: number;
  readonly cause: SnapshotCause;
  readonly tree: ObjectId;
  readonly commit: ObjectId;
  /** Against the snapshot before it. */
  readonly filesChanged: number;
  readonly takenAtMs: number;
  /** What the checks said of exactly these files; such a snapshot is not dropped. */
  readonly verdict: Verdict | null;
  /** The user made this branch of it. */
  readonly branch: string | null;
}

/** All but the last `keep` (at least one) and those that a verdict is about. */
export function supernumerary(snapshots: readonly RunSnapshot[], keep: number): number[] {
  return snapshots
    .slice(0, -Math.max(1, keep))
    .filter(({ verdict }) => verdict === null)
    .map(({ index }) => index);
}
