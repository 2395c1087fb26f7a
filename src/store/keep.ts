import type { SegmentLimits } from './segmentRetention';

/** How long a storage keeps what nothing needs any more. */
export interface Keep {
  /** Old segments of the journal. Absent: `defaultSegmentLimits`. */
  readonly segments?: SegmentLimits;
  /** As `WorkerHistoryOptions.keepRawMs`. */
  readonly rawMs?: number;
}

/** For whoever only looks in for a moment: tidying up is left to those who stay. */
export const keepAll: Keep = { segments: { keepMs: null, maxBytes: null } };
