// The head of the page: the period, and what can be done with its figures.
import { type AnalyticsText, periods, type Range } from '../src/protocol/analyticsProtocol';
import { element } from './dom';
import { fill } from './figures';
import { button, dayField, dropdown } from './toolkit';

export interface HeaderActions {
  readonly range: Range;
  /** The days that are shown now; `undefined` before there are figures. */
  readonly span: () => { readonly from: string; readonly to: string } | undefined;
  readonly chooseRange: (range: Range) => void;
  readonly refresh: () => void;
  readonly save: (format: 'csv' | 'json') => void;
}

export function headerOf(text: AnalyticsText, actions: HeaderActions): HTMLElement {
  const { range, span, chooseRange } = actions;
  const choices = [
    ...periods.map((days) => ({ value: String(days), label: fill(text.lastDays, days) })),
    { value: 'own', label: text.ownPeriod },
  ];
  const chosen = dropdown(text.period, choices, typeof range === 'number' ? String(range) : 'own', (value) => {
    const period = periods.find((days) => String(days) === value);
    const days = period ?? span();
    if (days !== undefined) chooseRange(days);
  });
  chosen.dataset['key'] = 'period';
  const refresh = keyed('refresh', button(text.refresh, actions.refresh));
  const csv = keyed(
    'csv',
    button(text.exportCsv, () => actions.save('csv')),
  );
  const json = keyed(
    'json',
    button(text.exportJson, () => actions.save('json')),
  );
  const own = typeof range === 'number' ? [] : ownDays(text, range, chooseRange);
  return element('header', {}, element('h1', {}, text.title), chosen, ...own, refresh, csv, json);
}

function ownDays(
  text: AnalyticsText,
  range: Exclude<Range, number>,
  chooseRange: (range: Range) => void,
): HTMLElement[] {
  const wrong = element('span', { class: 'wrong', role: 'alert' });
  const choose = (span: { readonly from: string; readonly to: string }): void => {
    wrong.textContent = span.from > span.to ? text.wrongPeriod : '';
    if (span.from <= span.to) chooseRange(span);
  };
  let { from, to } = range;
  const first = dayField(text.from, from, (day) => choose({ from: (from = day), to }));
  const last = dayField(text.to, to, (day) => choose({ from, to: (to = day) }));
  return [keyedField('from', first), keyedField('to', last), wrong];
}

function keyed(key: string, made: HTMLElement): HTMLElement {
  made.dataset['key'] = key;
  return made;
}

function keyedField(key: string, label: HTMLElement): HTMLElement {
  const input = label.querySelector('input');
  if (input) input.dataset['key'] = key;
  return label;
}
