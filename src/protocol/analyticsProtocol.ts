import { z } from 'zod';
import { budgetForecastSchema } from '../core/budgetOutlook';
import { daySpanSchema, dimensionSchema, sumRowSchema, workedTaskRowSchema } from '../core/history';
import { taskIdSchema } from '../core/ids';

/** The spans of days that the page offers, beside one of the user's own. */
export const periods = [7, 30, 90, 365] as const;
export const periodSchema = z.literal(periods);

/** The longest span of the user's own. */
export const maxSpanDays = 3660;

/** From a day to a day that is not before it. */
const ownSpanSchema = daySpanSchema.refine(({ from, to }) => {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return days >= 0 && days < maxSpanDays;
}, 'the span ends before it begins, or is too long');

/** The last days, or days that the user has named. */
export const rangeSchema = z.union([periodSchema, ownSpanSchema]);
export type Range = z.infer<typeof rangeSchema>;

/** What the page looks at. */
export const analyticsViewSchema = z.object({
  range: rangeSchema,
  by: dimensionSchema,
  /** The row whose tasks are listed; `null`: all. */
  row: z.string().nullable(),
});
export type AnalyticsView = z.infer<typeof analyticsViewSchema>;
export const defaultView: AnalyticsView = { range: 30, by: 'day', row: null };

export const metrics = [
  'tokens',
  'cost',
  'cacheHits',
  'verdicts',
  'sessionTime',
  'queueWait',
  'firstToken',
  'retries',
] as const;
export const metricSchema = z.enum(metrics);
export type Metric = z.infer<typeof metricSchema>;

const words = <K extends string>(keys: readonly K[]) =>
  z.object(Object.fromEntries(keys.map((key) => [key, z.string()])) as Record<K, z.ZodString>);

/** Every word that the page shows, in the user's language. `{0}` stands for what is filled in. */
export const analyticsTextSchema = z.object({
  ...words([
    'title',
    'loading',
    'refresh',
    'retry',
    'failed',
    'nothingYet',
    'nothingYetHint',
    'nothingInPeriod',
    'period',
    'lastDays',
    'ownPeriod',
    'from',
    'to',
    'wrongPeriod',
    'exportCsv',
    'exportJson',
    'tasksEnded',
    'verified',
    'requests',
    'ofTasks',
    'unpriced',
    'average',
    'metric',
    'groupBy',
    'metricBy',
    'chartSummary',
    'chartPart',
    'showTable',
    'inputTokens',
    'cacheWriteTokens',
    'cacheReadTokens',
    'outputTokens',
    'tasks',
    'tasksOf',
    'allTasks',
    'showTasks',
    'revealTask',
    'noTasks',
    'task',
    'verdict',
    'goesOn',
    'attempts',
    'time',
    'ended',
    'showMore',
    'unknown',
    'updatedAt',
    'budgets',
    'forecastNote',
    'scope',
    'spent',
    'limit',
    'noLimit',
    'atThisPace',
    'byEndOfDay',
    'byEndOfMonth',
    'tooEarly',
    'reached',
    'reachedAt',
    'notReached',
  ]).shape,
  metrics: words(metrics),
  dimensions: words(dimensionSchema.options),
  scopes: words(budgetForecastSchema.shape.scope.options),
  outcomes: words(['verified', 'partial', 'unchecked', 'contradicted', 'failed', 'cancelled']),
});
export type AnalyticsText = z.infer<typeof analyticsTextSchema>;

/** What stands in the page from the start, before any message: the words, and the language of numbers and dates. */
export const analyticsSetupSchema = z.object({ language: z.string(), text: analyticsTextSchema });
export type AnalyticsSetup = z.infer<typeof analyticsSetupSchema>;

/** What the page shows when all went well. */
export const analyticsFiguresSchema = z.object({
  view: analyticsViewSchema,
  span: daySpanSchema,
  /** By day: one row for every day of the span, oldest first, zero where nothing happened. Else the most expensive first. */
  rows: z.array(sumRowSchema),
  /** Tasks that were worked on in the span; of the view's row alone when it has one. */
  tasks: z.array(workedTaskRowSchema),
  /** There are more tasks than these. */
  hasMoreTasks: z.boolean(),
  /** A task has ended at some time, in the span or not. */
  hasHistory: z.boolean(),
  budgets: z.array(budgetForecastSchema),
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
  z.object({ kind: z.literal('ready'), view: analyticsViewSchema }),
  z.object({ kind: z.literal('look'), view: analyticsViewSchema }),
  z.object({ kind: z.literal('refresh') }),
  z.object({ kind: z.literal('showMoreTasks') }),
  /** Select the task in the tree. */
  z.object({ kind: z.literal('revealTask'), taskId: taskIdSchema }),
  /** Save the figures of the span to a file that the user names. */
  z.object({ kind: z.literal('export'), format: z.enum(['csv', 'json']) }),
]);
export type FromAnalyticsPage = z.infer<typeof fromAnalyticsPageSchema>;

/** What the page keeps for itself over a reload of the window. */
export const analyticsPageMemorySchema = z.object({
  view: analyticsViewSchema.catch(defaultView),
  metric: metricSchema.catch('tokens'),
});
export type AnalyticsPageMemory = z.infer<typeof analyticsPageMemorySchema>;
