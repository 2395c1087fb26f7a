import { z } from 'zod';
import { imageTypeSchema } from './engine';
import { digestSchema, runIdSchema } from './ids';

/** An image of a tool's result. */
export const keptImageSchema = z.object({ mediaType: imageTypeSchema, blob: digestSchema });
export type KeptImage = z.infer<typeof keptImageSchema>;

/** What the model, its tools and the user say to each other. */
export const conversationEvents = [
  /** A message of the conversation is kept; `index` counts from 0 without gaps. */
  z.object({
    kind: z.literal('message.recorded'),
    runId: runIdSchema,
    index: z.number().int().nonnegative(),
    role: z.enum(['user', 'assistant']),
    blob: digestSchema,
  }),
  z.object({
    kind: z.literal('tool.called'),
    runId: runIdSchema,
    callId: z.string(),
    name: z.string(),
    summary: z.string(),
  }),
  z.object({
    kind: z.literal('tool.finished'),
    runId: runIdSchema,
    callId: z.string(),
    ok: z.boolean(),
    output: digestSchema,
    /** What the tool showed beside it: blobs. Absent: nothing. */
    images: z.array(keptImageSchema).optional(),
    durationMs: z.number(),
  }),
  /** The agent asks the user something; the run is left until there is an answer. */
  z.object({ kind: z.literal('question.asked'), runId: runIdSchema, callId: z.string(), text: z.string().max(6000) }),
  /** The user's answer, as a blob. */
  z.object({ kind: z.literal('question.answered'), runId: runIdSchema, answer: digestSchema }),
  /** What the agent says of its result: a blob with `Claims` as JSON. Nothing follows from it. */
  z.object({ kind: z.literal('run.claimed'), runId: runIdSchema, claims: digestSchema }),
] as const;
