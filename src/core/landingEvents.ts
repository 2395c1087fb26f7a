import { z } from 'zod';
import { conflictedPathSchema } from './conflict';
import { checkResultSchema } from './evidence';
import { objectIdSchema, runIdSchema, taskIdSchema } from './ids';

/** A result on its way out, and after it. */
export const landingEvents = [
  /** The user has accepted it while others are let out: it waits for its turn, until it starts or is dropped, or the executor ends. */
  z.object({ kind: z.literal('landing.waiting'), taskId: taskIdSchema }),
  /** It waits no more and was not begun: it was given up, or could not be. */
  z.object({ kind: z.literal('landing.dropped'), taskId: taskIdSchema }),
  /** A result is being laid over what a branch has become. `runId` names the copy in which that is done. */
  z.object({
    kind: z.literal('landing.started'),
    taskId: taskIdSchema,
    runId: runIdSchema,
    ref: z.string(),
    /** Only these files of the result; `null`: all. */
    only: z.array(z.string()).nullable().default(null),
    /** Files that the user has joined by hand; where there are any, what is in conflict stays known. */
    resolved: z.array(z.string()).default([]),
  }),
  z.object({ kind: z.literal('landing.checked'), taskId: taskIdSchema, result: checkResultSchema }),
  /** The branch is about to be moved. Written before it is, so that after a crash it is known where it was. */
  z.object({
    kind: z.literal('landing.moving'),
    taskId: taskIdSchema,
    ref: z.string(),
    from: objectIdSchema,
    commit: objectIdSchema,
  }),
  /**
   * Nothing was moved. `code` is that of the error; `files` are those in conflict, with the branch at `target`. There are no
   * `conflicts` where they are too many to be joined by hand.
   */
  z.object({
    kind: z.literal('landing.failed'),
    taskId: taskIdSchema,
    code: z.string(),
    reason: z.string(),
    files: z.array(z.string()),
    target: objectIdSchema.nullable().default(null),
    conflicts: z.array(conflictedPathSchema).default([]),
  }),
  /** The user has let the result out: the branch `ref` went from `from` to `commit`. */
  z.object({
    kind: z.literal('task.landed'),
    taskId: taskIdSchema,
    commit: objectIdSchema,
    ref: z.string().nullable().default(null),
    from: objectIdSchema.nullable().default(null),
  }),
  /** The user has taken it back: the branch is where it was. */
  z.object({ kind: z.literal('task.unlanded'), taskId: taskIdSchema }),
  z.object({ kind: z.literal('task.discarded'), taskId: taskIdSchema }),
] as const;
