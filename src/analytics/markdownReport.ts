/** A report for people, as Markdown in English. What comes from outside stays text. */
import { markdownTable } from '../base/markdownTable';
import type { BudgetForecast } from '../core/budgetOutlook';
import { amountText } from '../core/budgetRooms';
import type { Dimension, SumRow, WorkedTaskRow } from '../core/history';
import { taskOutcomes } from '../core/task';
import { addUsage, cacheHitPercent, inputTokensOf, noUsage, totalTokens, type TokenUsage } from '../core/usage';
import type { UsageSummary } from './usageReport';

/** More tasks than these are not in the report. */
export const shownTasks = 100;

const sections: readonly (readonly [keyof UsageSummary['by'], string])[] = [
  ['day', 'Day (UTC)'],
  ['model', 'Model'],
  ['persona', 'Persona'],
  ['source', 'Source'],
  ['repository', 'Repository'],
];

export function markdownReport(report: UsageSummary): string {
  const { span, by, budgets } = report;
  if (by.day.length === 0 && report.tasks.length === 0)
    return `# Airlock from ${span.from} to ${span.to}\n\nNothing happened in these days.\n\n${budgetSection(budgets)}`;
  return [
    `# Airlock from ${span.from} to ${span.to}\n`,
    `Days are in UTC, both included. Written on ${new Date(report.writtenAtMs).toISOString()}.\n`,
    markdownTable(totalLines(by.day)),
    ...sections.map(([dimension, title]) => `## ${title}\n\n${sumsTable(title, dimension, by[dimension])}`),
    budgetSection(budgets),
    taskSection(report.tasks, report.hasMoreTasks),
  ].join('\n');
}

function totalLines(days: readonly SumRow[]): string[][] {
  const sum = (of: (row: SumRow) => number): number => days.reduce((total, row) => total + of(row), 0);
  const usage = days.reduce<TokenUsage>((total, row) => addUsage(total, row.usage), noUsage);
  const outcomes = taskOutcomes.flatMap((outcome) => {
    const tasks = sum((row) => row.outcomes[outcome] ?? 0);
    return tasks === 0 ? [] : [`${tasks} ${outcome}`];
  });
  return [
    ['', 'In all'],
    ['Tasks that ended', outcomes.join(', ') || 'none'],
    [
      'Cost',
      costText(
        sum((row) => row.costUsd),
        sum((row) => row.unpriced),
        sum((row) => row.requests),
      ),
    ],
    ['Tokens', `${count(inputTokensOf(usage))} in, ${count(usage.outputTokens)} out`],
    ['Cache hit rate', hitText(usage)],
    ['Session time', timeText(sum((row) => row.sessionMs))],
    [
      'Queue wait, on average',
      averageText(
        sum((row) => row.queueWaitMs),
        sum((row) => row.waits),
      ),
    ],
    [
      'Time to first token, on average',
      averageText(
        sum((row) => row.firstTokenMs),
        sum((row) => row.firstTokens),
      ),
    ],
    ['Requests that were tried again', count(sum((row) => row.retries))],
  ];
}

function sumsTable(title: string, dimension: Dimension, rows: readonly SumRow[]): string {
  const header = [
    title,
    'Cost',
    'Tokens',
    'Cache hits',
    'Ended',
    'Verified',
    'Session time',
    'Queue wait',
    'First token',
    'Retries',
  ];
  return markdownTable([
    header,
    ...rows.map((row) => [
      row.keys[dimension] || 'unknown',
      costText(row.costUsd, row.unpriced, row.requests),
      count(totalTokens(row.usage)),
      hitText(row.usage),
      count(Object.values(row.outcomes).reduce((sum, tasks) => sum + tasks, 0)),
      count(row.outcomes.verified ?? 0),
      timeText(row.sessionMs),
      averageText(row.queueWaitMs, row.waits),
      averageText(row.firstTokenMs, row.firstTokens),
      count(row.retries),
    ]),
  ]);
}

function budgetSection(budgets: readonly BudgetForecast[]): string {
  const rows = budgets.map((budget) => [
    scopeText(budget),
    amountText(budget.spent, budget.unit),
    budget.limit === null ? 'none' : amountText(budget.limit, budget.unit),
    paceText(budget),
  ]);
  return [
    '## Budgets, as of now\n',
    markdownTable([['Budget', 'Spent', 'Limit', 'At this pace'], ...rows]),
    'The forecast is a straight line and knows nothing of what is queued.\n',
  ].join('\n');
}

function scopeText({ scope, subject }: BudgetForecast): string {
  switch (scope) {
    case 'persona':
      return `Today, persona ${subject}`;
    case 'day':
      return 'Today';
    case 'month':
      return 'This month (UTC)';
    case 'total':
      return 'In all';
  }
}

function paceText({ scope, spent, limit, atEnd, reachedAtMs, unit }: BudgetForecast): string {
  if (limit !== null && spent >= limit) return 'The limit is reached.';
  const end = scope === 'month' ? 'month' : 'day';
  const comesTo = atEnd === null ? [] : [`${amountText(atEnd, unit)} by the end of the ${end}.`];
  if (atEnd === null && scope !== 'total') return 'Too early to say.';
  if (limit === null) return comesTo.join(' ');
  const reached =
    reachedAtMs === null
      ? 'The limit is not reached.'
      : `The limit is reached on ${new Date(reachedAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC.`;
  return [...comesTo, reached].join(' ');
}

function taskSection(tasks: readonly WorkedTaskRow[], hasMore: boolean): string {
  const rows = tasks.map(({ taskId, title, outcome, attempts, usage, costUsd, endedAtMs }) => [
    taskId,
    title,
    outcome ?? 'goes on',
    count(attempts),
    count(totalTokens(usage)),
    costUsd === null ? 'unknown' : amountText(costUsd, 'usd'),
    endedAtMs === null ? '' : new Date(endedAtMs).toISOString().slice(0, 16).replace('T', ' '),
  ]);
  return [
    '## Tasks that were worked on\n',
    markdownTable([['Task', 'Title', 'Verdict', 'Attempts', 'Tokens', 'Cost of all its runs', 'Ended (UTC)'], ...rows]),
    hasMore ? `These are the newest ${rows.length}; there are more.\n` : '',
  ].join('\n');
}

function costText(costUsd: number, unpriced: number, requests: number): string {
  if (unpriced === 0) return amountText(costUsd, 'usd');
  if (unpriced >= requests) return 'unknown';
  return `at least ${amountText(costUsd, 'usd')} (${count(unpriced)} requests without a known price)`;
}

function hitText(usage: TokenUsage): string {
  return inputTokensOf(usage) === 0 ? '–' : `${cacheHitPercent(usage)} %`;
}

function averageText(sumMs: number, of: number): string {
  return of === 0 ? '–' : timeText(sumMs / of);
}

function timeText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
