import { z } from 'zod';
import { budgetLimitsSchema } from './budget';
import { processIdentitySchema } from './session';

/** The executor itself, its queue, its budget and its sources. */
export const executorEvents = [
  /** An executor owns the storage from here on. What ran before ran in another process. */
  z.object({
    kind: z.literal('executor.started'),
    executorId: z.string(),
    process: processIdentitySchema,
    version: z.string(),
    /** Where it looks for tasks. */
    sources: z.array(z.string()),
  }),
  /** It ended in order. */
  z.object({ kind: z.literal('executor.stopped'), executorId: z.string() }),
  z.object({ kind: z.literal('queue.changed'), mode: z.enum(['running', 'paused']), by: z.string() }),
  /** Nothing new is started for `cause`, whatever the queue's mode is; `null`: it may go on. `reason` is for people. */
  z.object({
    kind: z.literal('queue.held'),
    cause: z.enum(['disk', 'host', 'budget']),
    reason: z.string().nullable(),
    /** When it goes on by itself, in wall time. Absent: when its cause has passed. */
    untilMs: z.number().nullable().optional(),
  }),
  /** What may be spent from here on, and the list of prices by which it is counted. */
  z.object({ kind: z.literal('budget.limited'), limits: budgetLimitsSchema, prices: z.string() }),
  /**
   * So much of a limit is spent; 100: the next request does not fit any more. Once for each step, each limit and each of its
   * periods, all of which `about` names.
   */
  z.object({
    kind: z.literal('budget.alert'),
    about: z.string(),
    percent: z.union([z.literal(50), z.literal(80), z.literal(100)]),
    /** For people. */
    message: z.string(),
  }),
  /** It is followed from here on, until it is removed or the executor ends: a window has lent it. */
  z.object({ kind: z.literal('source.added'), sourceId: z.string() }),
  /** Nobody lends it any more. */
  z.object({ kind: z.literal('source.removed'), sourceId: z.string() }),
  /** While it is paused nothing more is taken from it; what was taken goes on, and is reported. */
  z.object({ kind: z.literal('source.paused'), sourceId: z.string(), paused: z.boolean() }),
  /** What tasks that ended before have left of private things is deleted. Written before it is done. */
  z.object({ kind: z.literal('data.deleted'), beforeMs: z.number() }),
  z.object({ kind: z.literal('source.changed'), sourceId: z.string(), healthy: z.boolean(), message: z.string() }),
] as const;
