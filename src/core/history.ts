import { z } from 'zod';
import { runIdSchema, taskIdSchema } from './ids';
import { taskOutcomeSchema } from './task';
import { tokenUsageSchema } from './usage';

/** A question to the database of history. Days are `YYYY-MM-DD` in UTC. */
export const historyQuerySchema = z.discriminatedUnion('kind', [
  /** Spending and outcomes by day, newest last. */
  z.object({ kind: z.literal('daily'), days: z.number().int().min(1).max(3660) }),
  /** Spending by model over the last `days`. */
  z.object({ kind: z.literal('byModel'), days: z.number().int().min(1).max(3660) }),
  /** Runs that ended over the last `days`, by how they ended. */
  z.object({ kind: z.literal('byOutcome'), days: z.number().int().min(1).max(3660) }),
  /** Ended tasks, newest first. */
  z.object({ kind: z.literal('tasks'), limit: z.number().int().min(1).max(1000), beforeMs: z.number().optional() }),
  /** Every run of one task. */
  z.object({ kind: z.literal('runs'), taskId: taskIdSchema }),
]);
export type HistoryQuery = z.infer<typeof historyQuerySchema>;

export const dailyRowSchema = z.object({
  day: z.string(),
  usage: tokenUsageSchema,
  costUsd: z.number(),
  /** Requests whose price is not known. */
  unpriced: z.number().int(),
  requests: z.number().int(),
  /** Endings of tasks on this day, by outcome. One that was retried and ended again counts twice. */
  outcomes: z.partialRecord(taskOutcomeSchema, z.number().int()),
  /** Runs that started on this day, and how long their tasks had been queued before their first one, together. */
  runsStarted: z.number().int().default(0),
  queueWaitMs: z.number().default(0),
  /** Runs that ended on this day, and how long they took together, checks included. */
  runsEnded: z.number().int().default(0),
  runMs: z.number().default(0),
});
export type DailyRow = z.infer<typeof dailyRowSchema>;

export const modelRowSchema = z.object({
  model: z.string(),
  usage: tokenUsageSchema,
  costUsd: z.number(),
  unpriced: z.number().int(),
  requests: z.number().int(),
});
export type ModelRow = z.infer<typeof modelRowSchema>;

export const outcomeRowSchema = z.object({
  outcome: taskOutcomeSchema,
  runs: z.number().int(),
  usage: tokenUsageSchema,
  costUsd: z.number(),
  /** Runs with a request whose price is not known: their cost is a lower bound. */
  unpriced: z.number().int(),
  runMs: z.number(),
});
export type OutcomeRow = z.infer<typeof outcomeRowSchema>;

export const taskRowSchema = z.object({
  taskId: taskIdSchema,
  title: z.string(),
  outcome: taskOutcomeSchema,
  sourceId: z.string(),
  repo: z.string().nullable(),
  attempts: z.number().int(),
  usage: tokenUsageSchema,
  costUsd: z.number().nullable(),
  queuedAtMs: z.number(),
  endedAtMs: z.number(),
});
export type TaskRow = z.infer<typeof taskRowSchema>;

export const runRowSchema = z.object({
  runId: runIdSchema,
  taskId: taskIdSchema,
  attempt: z.number().int(),
  engine: z.string(),
  model: z.string(),
  outcome: taskOutcomeSchema.nullable(),
  reason: z.string(),
  branch: z.string().nullable(),
  commit: z.string().nullable(),
  usage: tokenUsageSchema,
  costUsd: z.number().nullable(),
  startedAtMs: z.number(),
  endedAtMs: z.number().nullable(),
});
export type RunRow = z.infer<typeof runRowSchema>;

export const historyAnswerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('daily'), rows: z.array(dailyRowSchema) }),
  z.object({ kind: z.literal('byModel'), rows: z.array(modelRowSchema) }),
  z.object({ kind: z.literal('byOutcome'), rows: z.array(outcomeRowSchema) }),
  z.object({ kind: z.literal('tasks'), rows: z.array(taskRowSchema) }),
  z.object({ kind: z.literal('runs'), rows: z.array(runRowSchema) }),
]);
export type HistoryAnswer = z.infer<typeof historyAnswerSchema>;

/** History and analytics: a view of the journal that can be thrown away and built again. Loaded when first asked. */
export interface History {
  /**
   * What has been appended so far is in the answer.
   * @throws {UserError} `history-failed` when the database cannot be had; `history-newer`, `journal-corrupt`, `disk-full`.
   */
  query(query: HistoryQuery): Promise<HistoryAnswer>;
  /** Saves the database and lets it go. */
  close(): Promise<void>;
}
