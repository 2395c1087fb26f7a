import { z } from 'zod';
import { runIdSchema } from './ids';
import { tokenUsageSchema } from './usage';

/** Requests to a model and what they cost. */
export const spendingEvents = [
  z.object({
    kind: z.literal('usage.recorded'),
    runId: runIdSchema,
    model: z.string(),
    usage: tokenUsageSchema,
    /** US dollars; `null` when the model's price is not known. */
    costUsd: z.number().nonnegative().nullable(),
    /** From sending the request to the first part of its answer. Absent: it was not seen. */
    firstTokenMs: z.number().nonnegative().optional(),
  }),
  /**
   * A request is about to be sent. Until it is settled it counts at the most that it can cost, also when nobody is left who could
   * settle it.
   */
  z.object({
    kind: z.literal('request.reserved'),
    runId: runIdSchema,
    model: z.string(),
    promptBound: z.number().int().nonnegative(),
    /** US dollars; `null` when the model's price is not known. */
    upperUsd: z.number().nonnegative().nullable(),
    upperTokens: z.number().int().nonnegative(),
  }),
  /** It is over. `unseen`: what it cost was not seen to its end, so that what was reserved counts as spent. */
  z.object({ kind: z.literal('request.settled'), runId: runIdSchema, unseen: z.boolean() }),
  z.object({
    kind: z.literal('request.retried'),
    runId: runIdSchema,
    reason: z.string(),
    attempt: z.number().int(),
    delayMs: z.number(),
  }),
] as const;
