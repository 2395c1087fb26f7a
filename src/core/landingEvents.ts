import { z } from 'zod';
import { checkResultSchema } from './evidence';
import { objectIdSchema, runIdSchema, taskIdSchema } from './ids';

/** A result on its way out, and after it. */
export const landingEvents = [
  /** A result is being laid over what a branch has become. `runId` names the copy in which that is done. */
  z.object({ kind: z.literal('landing.started'), taskId: taskIdSchema, runId: runIdSchema, ref: z.string() }),
  z.object({ kind: z.literal('landing.checked'), taskId: taskIdSchema, result: checkResultSchema }),
  /** The branch is about to be moved. Written before it is, so that after a crash it is known where it was. */
  z.object({
    kind: z.literal('landing.moving'),
    taskId: taskIdSchema,
    ref: z.string(),
    from: objectIdSchema,
    commit: objectIdSchema,
  }),
  /** Nothing was moved. `code` is that of the error; `files` are those in conflict. */
  z.object({
    kind: z.literal('landing.failed'),
    taskId: taskIdSchema,
    code: z.string(),
    reason: z.string(),
    files: z.array(z.string()),
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
