import { z } from 'zod';
import { dailyRowSchema, modelRowSchema, taskRowSchema } from '../core/history';

/** The spans of days that the page offers. */
export const periods = [7, 30, 90, 365] as const;
export const periodSchema = z.literal(periods);
export type Period = z.infer<typeof periodSchema>;
export const defaultPeriod: Period = 30;

/** Every word that the page shows, in the user's language. `{0}` stands for what is filled in. */
export const analyticsTextSchema = z.object({
  title: z.string(),
  loading: z.string(),
  refresh: z.string(),
  retry: z.string(),
  failed: z.string(),
  nothingYet: z.string(),
  nothingYetHint: z.string(),
  nothingInPeriod: z.string(),
  period: z.string(),
  lastDays: z.string(),
  tasksEnded: z.string(),
  verified: z.string(),
  tokens: z.string(),
  requests: z.string(),
  cost: z.string(),
  ofTasks: z.string(),
  unpriced: z.string(),
  metric: z.string(),
  byDay: z.string(),
  chartSummary: z.string(),
  showTable: z.string(),
  day: z.string(),
  inputTokens: z.string(),
  cacheWriteTokens: z.string(),
  cacheReadTokens: z.string(),
  outputTokens: z.string(),
  endedTasks: z.string(),
  task: z.string(),
  verdict: z.string(),
  attempts: z.string(),
  time: z.string(),
  ended: z.string(),
  showMore: z.string(),
  unknown: z.string(),
  updatedAt: z.string(),
  byModel: z.string(),
  model: z.string(),
  requestCount: z.string(),
  outcomes: z.object({
    verified: z.string(),
    partial: z.string(),
    unchecked: z.string(),
    contradicted: z.string(),
    failed: z.string(),
    cancelled: z.string(),
  }),
});
export type AnalyticsText = z.infer<typeof analyticsTextSchema>;

/** What stands in the page from the start, before any message: the words, and the language of numbers and dates. */
export const analyticsSetupSchema = z.object({ language: z.string(), text: analyticsTextSchema });
export type AnalyticsSetup = z.infer<typeof analyticsSetupSchema>;

/** What the page shows when all went well. */
export const analyticsFiguresSchema = z.object({
  period: periodSchema,
  /** One row for every day of the period, oldest first; days on which nothing happened are zero. */
  daily: z.array(dailyRowSchema),
  byModel: z.array(modelRowSchema),
  /** Newest first, whatever the period. */
  tasks: z.array(taskRowSchema),
  /** There are older tasks than these. */
  hasMoreTasks: z.boolean(),
  updatedAtMs: z.number(),
});
export type AnalyticsFigures = z.infer<typeof analyticsFiguresSchema>;

/** State that goes down to the page. Each message is the whole state and replaces the one before. */
export const toAnalyticsPageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('loading') }),
  z.object({ kind: z.literal('figures'), figures: analyticsFiguresSchema }),
  /** The figures could not be read; `message` says why, for people. */
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type ToAnalyticsPage = z.infer<typeof toAnalyticsPageSchema>;

/** Intents that come up from the page. */
export const fromAnalyticsPageSchema = z.discriminatedUnion('kind', [
  /** The page listens. It speaks first, and again whenever VS Code has made it anew. */
  z.object({ kind: z.literal('ready'), period: periodSchema }),
  z.object({ kind: z.literal('choosePeriod'), period: periodSchema }),
  z.object({ kind: z.literal('refresh') }),
  z.object({ kind: z.literal('showMoreTasks') }),
]);
export type FromAnalyticsPage = z.infer<typeof fromAnalyticsPageSchema>;

/** What the page keeps for itself over a reload of the window. */
export const analyticsPageMemorySchema = z.object({
  period: periodSchema.catch(defaultPeriod),
  metric: z.enum(['tokens', 'cost']).catch('tokens'),
});
export type AnalyticsPageMemory = z.infer<typeof analyticsPageMemorySchema>;
