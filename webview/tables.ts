import type { AnalyticsFigures, AnalyticsText } from '../src/protocol/analyticsProtocol';
import { element } from './dom';
import { allTokensOf, fill, type Formats, tokenClasses, tokensOf } from './figures';
import { dataGrid } from './toolkit';

const number = { width: 'minmax(5em, 1fr)', isNumber: true } as const;

/** The chart's figures as a table, newest day first, for who cannot see the chart. Days without anything are left out. */
export function dailyTable(figures: AnalyticsFigures, text: AnalyticsText, formats: Formats): HTMLElement {
  const columns = [
    { title: text.day, width: 'minmax(7em, 1fr)' },
    ...tokenClasses.map((tokenClass) => ({ title: text[tokenClass], ...number })),
    { title: text.cost, ...number },
    { title: text.tasksEnded, ...number },
  ];
  const busy = figures.daily.filter((row) => row.requests > 0 || Object.keys(row.outcomes).length > 0).reverse();
  const rows = busy.map((row) => [
    row.day,
    ...tokenClasses.map((tokenClass) => formats.count(tokensOf(row.usage, tokenClass))),
    formats.costOf(row),
    formats.count(Object.values(row.outcomes).reduce((sum, count) => sum + count, 0)),
  ]);
  return dataGrid(fill(text.byDay, text.tokens), columns, rows);
}

export function modelTable(figures: AnalyticsFigures, text: AnalyticsText, formats: Formats): HTMLElement {
  const columns = [
    { title: text.model, width: 'minmax(12em, 3fr)' },
    { title: text.requestCount, ...number },
    { title: text.tokens, ...number },
    { title: text.cost, ...number },
  ];
  const rows = figures.byModel.map((row) => [
    row.model,
    formats.count(row.requests),
    formats.count(allTokensOf(row.usage)),
    formats.costOf(row),
  ]);
  return dataGrid(text.byModel, columns, rows);
}

export function taskTable(figures: AnalyticsFigures, text: AnalyticsText, formats: Formats): HTMLElement {
  const columns = [
    { title: text.task, width: 'minmax(12em, 4fr)' },
    { title: text.verdict, width: 'minmax(7em, 1fr)' },
    { title: text.attempts, width: 'minmax(6.5em, 1fr)', isNumber: true },
    { title: text.tokens, ...number },
    { title: text.cost, ...number },
    { title: text.time, ...number },
    { title: text.ended, width: 'minmax(14em, 1.5fr)' },
  ];
  const rows = figures.tasks.map((task) => [
    element('span', { class: 'title', title: `${task.title} (${task.taskId})` }, task.title),
    element('span', { class: `verdict ${task.outcome}` }, text.outcomes[task.outcome]),
    formats.count(task.attempts),
    formats.count(allTokensOf(task.usage)),
    formats.cost(task.costUsd),
    formats.duration(task.endedAtMs - task.queuedAtMs),
    formats.moment(task.endedAtMs),
  ]);
  return dataGrid(text.endedTasks, columns, rows);
}
