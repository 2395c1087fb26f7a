/** A budget with what was spent of it and where that leads, as pages and reports show it. */
import { z } from 'zod';

export const budgetForecastSchema = z.object({
  /** What is limited; `month`: all of this month in UTC, which has no limit. */
  scope: z.enum(['persona', 'day', 'month', 'total']),
  /** The persona's name; empty where there is none. */
  subject: z.string(),
  unit: z.enum(['usd', 'tokens']),
  spent: z.number(),
  /** `null`: there is none. */
  limit: z.number().nullable(),
  /** What it comes to by the end of the day or month at this pace; `null` in the first hour, or when there is no end. */
  atEnd: z.number().nullable(),
  /** When the limit is reached at this pace; `null`: not before the end, or never. In the past: it is reached. */
  reachedAtMs: z.number().nullable(),
});
export type BudgetForecast = z.infer<typeof budgetForecastSchema>;
