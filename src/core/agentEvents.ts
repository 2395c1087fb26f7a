import { z } from 'zod';
import { digestSchema, runIdSchema, taskIdSchema } from './ids';

export const topicSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'up to 64 letters, digits and . _ -');

/** What agents do with each other. */
export const agentEvents = [
  /** An agent has said something to others: `to` are the tasks that it reaches, `topic` is where it was said, if at one. */
  z.object({
    kind: z.literal('message.sent'),
    runId: runIdSchema,
    messageId: z.string().max(100),
    to: z.array(taskIdSchema).max(1000),
    topic: topicSchema.nullable(),
    /** The blob with its text. */
    text: digestSchema,
  }),
  /** Messages were given to the agent of a run, with the result of a tool: that is their acknowledgement. */
  z.object({ kind: z.literal('message.read'), runId: runIdSchema, messageIds: z.array(z.string().max(100)) }),
  /** The agent of a run wants to hear what is said at a topic. */
  z.object({ kind: z.literal('topic.joined'), runId: runIdSchema, topic: topicSchema }),
  /** An agent has split its task. `givenUsd`: what they may cost together comes out of what its run may still cost. */
  z.object({
    kind: z.literal('subtasks.created'),
    runId: runIdSchema,
    taskIds: z.array(taskIdSchema),
    givenUsd: z.number().nonnegative(),
  }),
] as const;
