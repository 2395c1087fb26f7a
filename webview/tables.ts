import type { AnalyticsFigures, AnalyticsText } from '../src/protocol/analyticsProtocol';
import { element } from './dom';
import {
  allTokensOf,
  averageOf,
  cacheHitsOf,
  endedOf,
  fill,
  type Formats,
  isIdle,
  type SumRow,
  tokenClasses,
  tokensOf,
} from './figures';
import { dataGrid, linkButton } from './toolkit';

const number = { width: 'minmax(5.5em, 1fr)', isNumber: true } as const;
const nothing = '–';

export interface TableWords {
  readonly text: AnalyticsText;
  readonly formats: Formats;
}

/** The key of a row as it is shown; what is not known says so. */
export function keyOf(row: SumRow, by: AnalyticsFigures['view']['by']): string {
  return row.keys[by] ?? '';
}

/** Everything that is known of each row, days newest first. Days without anything are left out. */
export function sumTable(
  { rows, view }: AnalyticsFigures,
  { text, formats }: TableWords,
  onOpen: (key: string) => void,
): HTMLElement {
  const columns = [
    { title: text.dimensions[view.by], width: view.by === 'day' ? 'minmax(7em, 1fr)' : 'minmax(14em, 3fr)' },
    ...tokenClasses.map((tokenClass) => ({ title: text[tokenClass], ...number })),
    { title: text.metrics.cacheHits, ...number },
    { title: text.metrics.cost, ...number },
    { title: text.tasksEnded, ...number },
    { title: text.verified, ...number },
    { title: text.metrics.sessionTime, ...number },
    { title: text.metrics.queueWait, ...number },
    { title: text.metrics.firstToken, ...number },
    { title: text.metrics.retries, ...number },
  ];
  const latency = (ms: number | null): string => (ms === null ? nothing : formats.latency(ms));
  const shown = view.by === 'day' ? rows.filter((row) => !isIdle(row)).reverse() : rows;
  const cells = shown.map((row) => {
    const key = keyOf(row, view.by);
    const label = key || text.unknown;
    return [
      linkButton(label, fill(text.showTasks, label), () => onOpen(key)),
      ...tokenClasses.map((tokenClass) => formats.count(tokensOf(row.usage, tokenClass))),
      formats.share(cacheHitsOf(row.usage)),
      formats.costOf(row),
      formats.count(endedOf(row)),
      formats.count(row.outcomes.verified ?? 0),
      row.sessions === 0 ? nothing : formats.duration(row.sessionMs),
      latency(averageOf(row.queueWaitMs, row.waits)),
      latency(averageOf(row.firstTokenMs, row.firstTokens)),
      formats.count(row.retries),
    ];
  });
  return dataGrid(text.dimensions[view.by], columns, cells);
}

/** Tasks, each with a link that shows it in VS Code's tree. */
export function taskTable(
  { tasks }: AnalyticsFigures,
  { text, formats }: TableWords,
  onOpen: (taskId: string) => void,
): HTMLElement {
  const columns = [
    { title: text.task, width: 'minmax(12em, 4fr)' },
    { title: text.verdict, width: 'minmax(10em, 1fr)' },
    { title: text.attempts, width: 'minmax(7.5em, 1fr)', isNumber: true },
    { title: text.metrics.tokens, ...number },
    { title: text.metrics.cost, ...number },
    { title: text.time, ...number },
    { title: text.ended, width: 'minmax(15em, 1.5fr)' },
  ];
  const rows = tasks.map((task) => {
    const { outcome, endedAtMs } = task;
    const open = linkButton(task.title, fill(text.revealTask, task.taskId), () => onOpen(task.taskId));
    open.classList.add('title');
    return [
      open,
      element('span', { class: `verdict ${outcome ?? ''}` }, outcome === null ? text.goesOn : text.outcomes[outcome]),
      formats.count(task.attempts),
      formats.count(allTokensOf(task.usage)),
      formats.cost(task.costUsd),
      endedAtMs === null ? nothing : formats.duration(endedAtMs - task.queuedAtMs),
      endedAtMs === null ? nothing : formats.moment(endedAtMs),
    ];
  });
  return dataGrid(text.tasks, columns, rows);
}

type Budget = AnalyticsFigures['budgets'][number];

/** What was spent of each budget, and where a straight line leads. */
export function budgetTable({ budgets }: AnalyticsFigures, words: TableWords): HTMLElement {
  const { text, formats } = words;
  const columns = [
    { title: text.scope, width: 'minmax(10em, 1fr)' },
    { title: text.spent, ...number },
    { title: text.limit, ...number },
    { title: text.atThisPace, width: 'minmax(20em, 3fr)' },
  ];
  const amount = (value: number, unit: Budget['unit']): string =>
    unit === 'usd' ? formats.cost(value) : `${formats.count(Math.round(value))} ${text.metrics.tokens}`;
  const rows = budgets.map((budget) => [
    fill(text.scopes[budget.scope], budget.subject),
    amount(budget.spent, budget.unit),
    budget.limit === null ? text.noLimit : amount(budget.limit, budget.unit),
    paceText(budget, words, amount),
  ]);
  return dataGrid(text.budgets, columns, rows);
}

function paceText(
  budget: Budget,
  { text, formats }: TableWords,
  amount: (value: number, unit: Budget['unit']) => string,
): string {
  const { scope, limit, spent, atEnd, reachedAtMs, unit } = budget;
  if (limit !== null && spent >= limit) return text.reached;
  const atItsEnd = scope === 'month' ? text.byEndOfMonth : text.byEndOfDay;
  const comesTo = atEnd === null ? (scope === 'total' ? [] : [text.tooEarly]) : [fill(atItsEnd, amount(atEnd, unit))];
  if (limit === null || (atEnd === null && scope !== 'total')) return comesTo.join('. ');
  const limitText = reachedAtMs === null ? text.notReached : fill(text.reachedAt, formats.moment(reachedAtMs));
  return [...comesTo, limitText].join('. ');
}
