/** Reads what a report says, and writes it in one of its formats. */
import type { Clock } from '../base/clock';
import { assertNever } from '../base/errors';
import { askHistory, pastSpending } from '../core/askHistory';
import { noLimits } from '../core/budget';
import { budgetForecasts } from '../core/budgetForecast';
import type { BudgetForecast } from '../core/budgetOutlook';
import { type DaySpan, type Dimension, dimensions, type SumRow, type WorkedTaskRow } from '../core/history';
import type { ReportFormat, WriteReport } from '../core/usageReport';
import { csvReport } from './csvReport';
import { markdownReport } from './markdownReport';

export interface UsageReport {
  readonly span: DaySpan;
  readonly writtenAtMs: number;
  /** As fine as they are kept. */
  readonly rows: readonly SumRow[];
  readonly by: Readonly<Record<Dimension, readonly SumRow[]>>;
  /** The newest that were worked on in the span. */
  readonly tasks: readonly WorkedTaskRow[];
  /** There were more tasks than these. */
  readonly hasMoreTasks: boolean;
  readonly budgets: readonly BudgetForecast[];
}

const maxTasks = 500;

/** @param redact takes secrets out of a text. Words of the report are cleaned before they are written, so that none is cut in two. */
export function reportWriter(redact: (text: string) => string, clock: Pick<Clock, 'nowMs'>): WriteReport {
  return async (executor, { span, format }) => {
    const nowMs = clock.nowMs();
    const sums = async (by: readonly Dimension[]): Promise<SumRow[]> =>
      (await askHistory(executor, { kind: 'sums', span, by: [...by] })).rows;
    const [rows, tasks, past, ...each] = await Promise.all([
      sums(dimensions),
      askHistory(executor, { kind: 'tasksOf', span, of: {}, limit: maxTasks + 1 }),
      pastSpending(executor, nowMs),
      ...dimensions.map((dimension) => sums([dimension])),
    ]);
    const report: UsageReport = {
      span,
      writtenAtMs: nowMs,
      rows: rows.map((row) => cleaned(row, redact)),
      by: Object.fromEntries(
        dimensions.map((dimension, at) => [dimension, (each[at] ?? []).map((row) => cleaned(row, redact))]),
      ) as Record<Dimension, SumRow[]>,
      tasks: tasks.rows.slice(0, maxTasks).map((task) => ({
        ...task,
        title: redact(task.title),
        repo: task.repo === null ? null : redact(task.repo),
      })),
      hasMoreTasks: tasks.rows.length > maxTasks,
      budgets: budgetForecasts(executor.state, executor.state.budget.limits ?? noLimits, past, nowMs),
    };
    return written(report, format);
  };
}

function cleaned(row: SumRow, redact: (text: string) => string): SumRow {
  return { ...row, keys: Object.fromEntries(Object.entries(row.keys).map(([key, word]) => [key, redact(word)])) };
}

function written(report: UsageReport, format: ReportFormat): string {
  switch (format) {
    case 'md':
      return markdownReport(report);
    case 'csv':
      return csvReport(report.rows);
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
    default:
      return assertNever(format);
  }
}
