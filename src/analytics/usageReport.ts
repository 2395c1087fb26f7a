/** Reads what a report says, and writes it in one of its formats. */
import type { Clock } from '../base/clock';
import { assertNever } from '../base/errors';
import { askHistory, pastSpending } from '../core/askHistory';
import { noLimits } from '../core/budget';
import { budgetForecasts } from '../core/budgetForecast';
import type { BudgetForecast } from '../core/budgetOutlook';
import { type DaySpan, type Dimension, dimensions, type SumRow, type WorkedTaskRow } from '../core/history';
import type { WriteReport } from '../core/usageReport';
import { csvReport } from './csvReport';
import { markdownReport, shownTasks } from './markdownReport';

/** The dimensions that a report for people has a section for. */
type Section = Exclude<Dimension, 'engine'>;

/** What a report for people says. */
export interface UsageSummary {
  readonly span: DaySpan;
  readonly writtenAtMs: number;
  readonly by: Readonly<Record<Section, readonly SumRow[]>>;
  /** The newest that were worked on in the span. */
  readonly tasks: readonly WorkedTaskRow[];
  /** There were more tasks than these. */
  readonly hasMoreTasks: boolean;
  readonly budgets: readonly BudgetForecast[];
}

/** Everything, for programs. */
interface UsageReport extends UsageSummary {
  /** As fine as they are kept. */
  readonly rows: readonly SumRow[];
  readonly by: Readonly<Record<Dimension, readonly SumRow[]>>;
}

const maxTasks = 500;

/** @param redact takes secrets out of a text. Words of the report are cleaned before they are written, so that none is cut in two. */
export function reportWriter(redact: (text: string) => string, clock: Pick<Clock, 'nowMs'>): WriteReport {
  return async (executor, { span, format }) => {
    const reader = new ReportReader(executor, span, redact);
    switch (format) {
      case 'md':
        return markdownReport(await reader.summary(clock.nowMs(), shownTasks));
      case 'csv':
        return csvReport(await reader.sums(dimensions));
      case 'json':
        return `${JSON.stringify(await reader.everything(clock.nowMs()), null, 2)}\n`;
      default:
        return assertNever(format);
    }
  };
}

/** Asks for what a format writes, and for nothing else. */
class ReportReader {
  constructor(
    private readonly executor: Parameters<WriteReport>[0],
    private readonly span: DaySpan,
    private readonly redact: (text: string) => string,
  ) {}

  async sums(by: readonly Dimension[]): Promise<SumRow[]> {
    const { rows } = await askHistory(this.executor, { kind: 'sums', span: this.span, by: [...by] });
    return rows.map((row) => cleaned(row, this.redact));
  }

  async summary(nowMs: number, limit: number): Promise<UsageSummary> {
    const { executor, span } = this;
    const [tasks, past, day, model, persona, source, repository] = await Promise.all([
      askHistory(executor, { kind: 'tasksOf', span, of: {}, limit: limit + 1 }),
      pastSpending(executor, nowMs),
      this.sums(['day']),
      this.sums(['model']),
      this.sums(['persona']),
      this.sums(['source']),
      this.sums(['repository']),
    ]);
    return {
      span,
      writtenAtMs: nowMs,
      by: { day, model, persona, source, repository },
      tasks: tasks.rows.slice(0, limit).map((task) => ({
        ...task,
        title: this.redact(task.title),
        repo: task.repo === null ? null : this.redact(task.repo),
      })),
      hasMoreTasks: tasks.rows.length > limit,
      budgets: budgetForecasts(executor.state, executor.state.budget.limits ?? noLimits, past, nowMs),
    };
  }

  async everything(nowMs: number): Promise<UsageReport> {
    const [summary, engine, rows] = await Promise.all([
      this.summary(nowMs, maxTasks),
      this.sums(['engine']),
      this.sums(dimensions),
    ]);
    return { ...summary, by: { ...summary.by, engine }, rows };
  }
}

function cleaned(row: SumRow, redact: (text: string) => string): SumRow {
  return { ...row, keys: Object.fromEntries(Object.entries(row.keys).map(([key, word]) => [key, redact(word)])) };
}
