/** What a report of usage is asked for; `analytics/` writes it, and windows and commands hand it on. */
import type { Executor } from './executor';
import type { DaySpan } from './history';

export const reportFormats = ['md', 'csv', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export interface ReportRequest {
  readonly span: DaySpan;
  readonly format: ReportFormat;
}

/**
 * A report as text, with secrets of known shapes left out. `csv`: a line for each day, model, engine, persona, source and
 * repository; no cell of it is a formula. @throws what `Executor.history` throws.
 */
export type WriteReport = (executor: Pick<Executor, 'history' | 'state'>, request: ReportRequest) => Promise<string>;
