import { z } from 'zod';
import { digestSchema, objectIdSchema, runIdSchema, taskIdSchema } from './ids';
import { taskOutcomeSchema } from './task';

/** One attempt at a task. */
export const runEvents = [
  z.object({
    kind: z.literal('run.started'),
    runId: runIdSchema,
    taskId: taskIdSchema,
    attempt: z.number().int().positive(),
    repo: z.string(),
    engine: z.string(),
    model: z.string(),
    persona: z.string(),
    /** The blob with the persona as the run has it to its end, as JSON. Absent: an earlier version, which had only one. */
    role: digestSchema.optional(),
  }),
  z.object({
    kind: z.literal('run.prepared'),
    runId: runIdSchema,
    baseCommit: objectIdSchema,
    baseTree: objectIdSchema,
    /** What the user is to know about this copy: work that is not committed, LFS, submodules. */
    notes: z.array(z.string()).default([]),
  }),
  z.object({
    kind: z.literal('run.phase'),
    runId: runIdSchema,
    phase: z.enum(['preparing', 'working', 'checking', 'publishing']),
  }),
  /** The commands that prepare the dependencies of a tree are about to be run. Not told when what was kept holds. */
  z.object({
    kind: z.literal('setup.started'),
    runId: runIdSchema,
    tree: objectIdSchema,
    commands: z.array(z.string()),
    network: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('setup.finished'),
    runId: runIdSchema,
    tree: objectIdSchema,
    /** What was wrong; `null` when all is well. */
    problem: z.string().nullable(),
    output: digestSchema,
    durationMs: z.number(),
  }),
  /** The agent said how far it is. */
  z.object({
    kind: z.literal('run.progress'),
    runId: runIdSchema,
    message: z.string(),
    percent: z.number().min(0).max(100).nullable(),
  }),
  /** A run of an earlier process goes on in this one. */
  z.object({ kind: z.literal('run.resumed'), runId: runIdSchema }),
  /**
   * A jail of the run asked for a connection. The same one again is told at its 10th, 100th, … time; past 100 hosts the rest is
   * told together as `*`. The host is the jail's own words.
   */
  z.object({
    kind: z.literal('run.connected'),
    runId: runIdSchema,
    /** Whose jail it was. */
    by: z.enum(['session', 'check', 'setup']),
    host: z.string(),
    port: z.number().int(),
    outcome: z.enum(['allowed', 'refused', 'failed']),
    /** Why it was not reached; empty when it was. */
    reason: z.string(),
    /** How often by now. */
    count: z.number().int().positive(),
  }),
  /** How much it has used of the time that it may take, checks and waiting not counted. */
  z.object({ kind: z.literal('run.timed'), runId: runIdSchema, usedMs: z.number().nonnegative() }),
  z.object({ kind: z.literal('run.ended'), runId: runIdSchema, outcome: taskOutcomeSchema, reason: z.string() }),
] as const;
