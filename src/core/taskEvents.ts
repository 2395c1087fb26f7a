import { z } from 'zod';
import { digestSchema, runIdSchema, taskIdSchema } from './ids';
import { taskOriginSchema, taskOutcomeSchema, taskSpecSchema } from './task';

/** A task from when it is queued to its end. */
export const taskEvents = [
  z.object({ kind: z.literal('task.queued'), taskId: taskIdSchema, spec: taskSpecSchema }),
  /** Its source is being asked for it. */
  z.object({ kind: z.literal('task.accepting'), taskId: taskIdSchema }),
  /** It is ours. A user's own task is accepted as it is queued. */
  z.object({ kind: z.literal('task.accepted'), taskId: taskIdSchema }),
  z.object({ kind: z.literal('task.blocked'), taskId: taskIdSchema, reason: z.string() }),
  z.object({
    kind: z.literal('task.waiting'),
    taskId: taskIdSchema,
    on: z.enum(['user', 'budget', 'lane']),
    reason: z.string(),
    /** When it goes on by itself, in wall time. Absent: when what it waits for has passed. */
    untilMs: z.number().nullable().optional(),
    /** The digest of what a server of the repository is, which the user has to approve first. Absent: there is none. */
    mcpServer: digestSchema.optional(),
  }),
  /** The user holds it back: it goes on when the user says so. */
  z.object({ kind: z.literal('task.paused'), taskId: taskIdSchema }),
  /** The user gave it another place in the order. `rank` is on the scale of `rankOf`: lower goes first. */
  z.object({ kind: z.literal('task.moved'), taskId: taskIdSchema, rank: z.number() }),
  /** What it waited for or was blocked by has passed: it is queued again, or its run goes on. */
  z.object({ kind: z.literal('task.resumed'), taskId: taskIdSchema }),
  /** It goes back into the queue: a retry, or a run that an earlier process left. */
  z.object({
    kind: z.literal('task.requeued'),
    taskId: taskIdSchema,
    reason: z.string(),
    notBeforeMs: z.number(),
    /** Something of it went wrong: such tries are counted, and an interruption is none. Absent: no. */
    failed: z.boolean().optional(),
  }),
  /** It named no persona and was given this one; `reason` says why, for people. */
  z.object({ kind: z.literal('task.routed'), taskId: taskIdSchema, persona: z.string(), reason: z.string() }),
  z.object({
    kind: z.literal('task.changed'),
    taskId: taskIdSchema,
    repo: z.string().nullable(),
    priority: z.number().int().min(0).max(3),
  }),
  /** What it depends on was offered: it is a task now like any other. */
  z.object({
    kind: z.literal('task.linked'),
    taskId: taskIdSchema,
    dependsOn: z.array(taskIdSchema),
    dependsOnMissing: z.array(z.string()),
  }),
  /** It was delivered under this origin too: whoever offers it there is told what becomes of it. */
  z.object({ kind: z.literal('task.joined'), taskId: taskIdSchema, origin: taskOriginSchema }),
  /** That source was asked for it. `false`: somebody else has it there, and nothing more is said of it there. */
  z.object({
    kind: z.literal('task.joinAnswered'),
    taskId: taskIdSchema,
    origin: taskOriginSchema,
    accepted: z.boolean(),
  }),
  /** That source has taken it away from us: it is told nothing more of it. */
  z.object({ kind: z.literal('task.lost'), taskId: taskIdSchema, origin: taskOriginSchema, reason: z.string() }),
  /** The source that it came from first does not have it any more: the first of the others takes its place. */
  z.object({ kind: z.literal('task.handedOn'), taskId: taskIdSchema }),
  z.object({
    kind: z.literal('task.ended'),
    taskId: taskIdSchema,
    outcome: taskOutcomeSchema,
    reason: z.string(),
    runId: runIdSchema.nullable(),
    /** The persona that is to look at its result. Absent: none is. */
    reviewer: z.string().optional(),
    /** It can be accepted only when that persona has looked. Absent: no. */
    reviewHolds: z.literal(true).optional(),
  }),
  /** Nobody will look at its result after all. */
  z.object({ kind: z.literal('task.unreviewed'), taskId: taskIdSchema, reason: z.string() }),
] as const;
