import { z } from 'zod';
import { runIdSchema, taskIdSchema } from './ids';
import { taskOutcomeSchema } from './task';
import { tokenUsageSchema } from './usage';

/** A day, `YYYY-MM-DD` in UTC. */
export const daySchema = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/);

/** From the first day to the last, both included. */
export const daySpanSchema = z.object({ from: daySchema, to: daySchema });
export type DaySpan = z.infer<typeof daySpanSchema>;

/** What sums can be asked by. */
export const dimensions = ['day', 'model', 'engine', 'persona', 'source', 'repository'] as const;
export const dimensionSchema = z.enum(dimensions);
export type Dimension = z.infer<typeof dimensionSchema>;

/** A question to the database of history. Days are `YYYY-MM-DD` in UTC. */
export const historyQuerySchema = z.discriminatedUnion('kind', [
  /** Spending and outcomes by day, newest last. */
  z.object({ kind: z.literal('daily'), days: z.number().int().min(1).max(3660) }),
  /** Spending by model over the last `days`. */
  z.object({ kind: z.literal('byModel'), days: z.number().int().min(1).max(3660) }),
  /** Runs that ended over the last `days`, by how they ended. */
  z.object({ kind: z.literal('byOutcome'), days: z.number().int().min(1).max(3660) }),
  /** Spending and work over a span, summed up by one or more dimensions. From rollups, however many requests there were. */
  z.object({
    kind: z.literal('sums'),
    span: daySpanSchema,
    by: z.array(dimensionSchema).min(1).max(dimensions.length),
  }),
  /** Ended tasks, newest first. */
  z.object({ kind: z.literal('tasks'), limit: z.number().int().min(1).max(1000), beforeMs: z.number().optional() }),
  /** Tasks that were worked on or ended in a span, those that go on too, newest first; those of one row of sums alone. */
  z.object({
    kind: z.literal('tasksOf'),
    span: daySpanSchema,
    of: z.partialRecord(dimensionSchema, z.string()),
    limit: z.number().int().min(1).max(1000),
  }),
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

export const sumRowSchema = z.object({
  /** What this row is of: one word for each dimension that was asked by, empty where it is not known. */
  keys: z.partialRecord(dimensionSchema, z.string()),
  usage: tokenUsageSchema,
  /** US dollars of requests whose price is known. */
  costUsd: z.number(),
  unpriced: z.number().int(),
  requests: z.number().int(),
  /** Endings of tasks, by outcome. One that was retried and ended again counts twice. */
  outcomes: z.partialRecord(taskOutcomeSchema, z.number().int()),
  runsStarted: z.number().int(),
  /** Tasks that started for the first time, and how long they had been queued, together. */
  waits: z.number().int(),
  queueWaitMs: z.number(),
  /** Runs that ended, and how long they took together, checks included. */
  runsEnded: z.number().int(),
  runMs: z.number(),
  /** Sessions that closed, and how long they had been open, together. */
  sessions: z.number().int(),
  sessionMs: z.number(),
  /** Requests that were tried again. */
  retries: z.number().int(),
  /** Requests of which it was seen when their answer began, and how long that took, together. */
  firstTokens: z.number().int(),
  firstTokenMs: z.number(),
});
export type SumRow = z.infer<typeof sumRowSchema>;

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

/** A task of a row of sums: it need not have ended. */
export const workedTaskRowSchema = taskRowSchema.extend({
  outcome: taskOutcomeSchema.nullable(),
  endedAtMs: z.number().nullable(),
});
export type WorkedTaskRow = z.infer<typeof workedTaskRowSchema>;

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
  z.object({ kind: z.literal('sums'), rows: z.array(sumRowSchema) }),
  z.object({ kind: z.literal('tasks'), rows: z.array(taskRowSchema) }),
  z.object({ kind: z.literal('tasksOf'), rows: z.array(workedTaskRowSchema) }),
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
