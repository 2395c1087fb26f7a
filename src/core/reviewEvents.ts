import { z } from 'zod';
import { digestSchema, objectIdSchema, runIdSchema, taskIdSchema } from './ids';
import { pullRequestUrlSchema } from './pullRequest';
import { commentPlaceSchema } from './reviewComment';

/** What the user says of a result, and that its run goes on with that. */
export const reviewEvents = [
  /** The user made a branch of their own of a result. */
  z.object({ kind: z.literal('result.kept'), taskId: taskIdSchema, branch: z.string(), commit: objectIdSchema }),
  /** The user comments on lines of a result; the same id again: it says something else now. Text and lines are blobs. */
  commentPlaceSchema.extend({
    kind: z.literal('comment.written'),
    taskId: taskIdSchema,
    commentId: z.string(),
    /** The result's commit. */
    commit: objectIdSchema,
    text: digestSchema,
    quote: digestSchema,
  }),
  z.object({ kind: z.literal('comment.deleted'), taskId: taskIdSchema, commentId: z.string() }),
  /** The user has opened a pull request of a result. */
  z.object({ kind: z.literal('pullRequest.opened'), taskId: taskIdSchema, url: pullRequestUrlSchema }),
  /**
   * A run that has ended goes on as another attempt, with its conversation, its files and what it has spent: the user sends
   * its result back. `feedback` is a blob with what the agent is told.
   */
  z.object({
    kind: z.literal('run.continued'),
    runId: runIdSchema,
    attempt: z.number().int().positive(),
    feedback: digestSchema,
    /** Comments that are in it. */
    comments: z.array(z.string()),
    /** The commit that its files start from now, with the result laid over it; `null`: as before. */
    onto: objectIdSchema.nullable(),
  }),
] as const;
