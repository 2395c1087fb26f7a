import { z } from 'zod';
import { runIdSchema, taskIdSchema } from './ids';

/**
 * What is left of a run's workspace.
 * - `living`: the run has not ended.
 * - `warm`: it was prepared ahead for the next task, and nobody has worked in it.
 * - `published`: it has ended, and all that it changed is in its result. Only its snapshots are left.
 * - `unlanded`: it has ended, and its files are kept because not all of them are known to be in a result.
 * - `orphan`: files of a run that is not known any more, such as an earlier attempt at a task.
 * - `remains`: of a workspace whose making or deleting did not end; there is nothing in it to lose.
 */
export const storedWorkspaceStateSchema = z.enum(['living', 'warm', 'published', 'unlanded', 'orphan', 'remains']);
export type StoredWorkspaceState = z.infer<typeof storedWorkspaceStateSchema>;

export const storedWorkspaceSchema = z.object({
  runId: runIdSchema,
  /** `null` when no task is known to have had that run. */
  taskId: taskIdSchema.nullable(),
  /** The repository that it is a copy of; `null` when that is not known. */
  repo: z.string().nullable(),
  state: storedWorkspaceStateSchema,
  /** When it was made, or when its files were deleted. */
  sinceMs: z.number(),
  /** On the disk; `null` when counting would take too long. */
  sizeBytes: z.number().nullable(),
});
export type StoredWorkspace = z.infer<typeof storedWorkspaceSchema>;

export const cleaningSchema = z.object({
  /** Younger ones stay. */
  olderThanMs: z.number().nonnegative(),
  /** Only says what would be deleted. */
  dryRun: z.boolean(),
  /** A task, or a run: its workspace is deleted although what it holds is nowhere else, and however young it is. */
  force: z.string().nullable(),
});
export type Cleaning = z.infer<typeof cleaningSchema>;

export const cleanedWorkspaceSchema = storedWorkspaceSchema.extend({
  removed: z.boolean(),
  /** Why it was kept; empty when it was not. */
  reason: z.string(),
});
export type CleanedWorkspace = z.infer<typeof cleanedWorkspaceSchema>;
