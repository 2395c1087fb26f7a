import { z } from 'zod';
import { isEnded } from './task';
import { type Digest, digestSchema, type TaskId } from './ids';
import { isLanding, type LiveState, type TaskState } from './liveState';

/** Which private data is to go. */
export const dataDeletionSchema = z.object({
  /** Of tasks that ended so long ago; 0: of all that have ended. */
  olderThanMs: z.number().nonnegative(),
  /** Only counts what would be deleted. */
  dryRun: z.boolean(),
});
export type DataDeletion = z.infer<typeof dataDeletionSchema>;

/** What was deleted, or would be. */
export const deletedDataSchema = z.object({
  /** Tasks whose data is meant. */
  tasks: z.number().int().nonnegative(),
  /** Prompts, conversations and outputs. */
  texts: z.number().int().nonnegative(),
  bytes: z.number().nonnegative(),
  /** Sessions whose recording is meant. */
  recordings: z.number().int().nonnegative(),
});
export type DeletedData = z.infer<typeof deletedDataSchema>;

/** It is over since before `beforeMs`, and nothing of it is under way. */
export function mayForget(task: TaskState, beforeMs: number): boolean {
  return isEnded(task.status) && !isLanding(task) && (task.endedAtMs ?? task.changedAtMs) <= beforeMs;
}

/**
 * The blobs that the state names, but for those that only tasks in `forgotten` and their runs name. It looks at every value, so
 * that nothing that is ever added to the state can be missed.
 */
export function neededBlobs(state: LiveState, forgotten: ReadonlySet<TaskId>): ReadonlySet<Digest> {
  const { tasks, runs, ...rest } = state;
  const needed = new Set<Digest>();
  collect(rest, needed);
  for (const task of tasks.values()) if (!forgotten.has(task.id)) collect(task, needed);
  for (const run of runs.values()) if (!forgotten.has(run.taskId)) collect(run, needed);
  return needed;
}

function collect(value: unknown, into: Set<Digest>): void {
  if (typeof value === 'string') {
    if (digestSchema.safeParse(value).success) into.add(value);
  } else if (value instanceof Map) {
    for (const entry of value) collect(entry, into);
  } else if (value instanceof Set || Array.isArray(value)) {
    for (const entry of value) collect(entry, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const entry of Object.values(value)) collect(entry, into);
  }
}
