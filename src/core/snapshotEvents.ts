import { z } from 'zod';
import { objectIdSchema, runIdSchema } from './ids';
import { snapshotCauseSchema } from './runSnapshot';

/** What is kept of a run's files. */
export const snapshotEvents = [
  /**
   * The run's files are kept as they were, in the run's own git directory. `index` counts from 1 in each run; 0 is the base.
   * `filesChanged` is counted against the snapshot before.
   */
  z.object({
    kind: z.literal('snapshot.taken'),
    runId: runIdSchema,
    index: z.number().int().positive(),
    cause: snapshotCauseSchema,
    tree: objectIdSchema,
    commit: objectIdSchema,
    filesChanged: z.number().int().nonnegative(),
  }),
  /** The files were made what they were at `index`; what was there before is `savedAs`. Written before it is done. */
  z.object({
    kind: z.literal('snapshot.restored'),
    runId: runIdSchema,
    index: z.number().int().nonnegative(),
    savedAs: z.number().int().nonnegative(),
  }),
  /** The user keeps one as a branch. */
  z.object({
    kind: z.literal('snapshot.published'),
    runId: runIdSchema,
    index: z.number().int().nonnegative(),
    branch: z.string(),
    commit: objectIdSchema,
  }),
  /** What was left of a run's workspace is deleted, its snapshots too. Written before it is done. */
  z.object({
    kind: z.literal('workspace.removed'),
    runId: runIdSchema,
    /**
     * `forced`: the user said so although it may hold work that is nowhere else. `rebase`: the run goes on from another commit.
     */
    cause: z.enum(['user', 'forced', 'retention', 'rebase']),
    sizeBytes: z.number().nullable(),
  }),
  /** Older ones made room for newer ones. */
  z.object({ kind: z.literal('snapshot.dropped'), runId: runIdSchema, indices: z.array(z.number().int().positive()) }),
] as const;
