// The chart with what it shows and by what, and the same figures as a table.
import {
  type AnalyticsFigures,
  type AnalyticsPageMemory,
  type AnalyticsText,
  metrics,
} from '../src/protocol/analyticsProtocol';
import { element } from './dom';
import { fill, type Formats, type SumRow } from './figures';
import { metricFigures } from './metrics';
import type { Part } from './slots';
import { keyOf, sumTable, type TableWords } from './tables';
import { dropdown, focusGridPlace, gridPlaceOf } from './toolkit';
import { UsageChart } from './usageChart';

type By = AnalyticsFigures['view']['by'];
type Metric = AnalyticsPageMemory['metric'];

/** More bars than these cannot be told apart. Days are all shown. */
const maxBars = 30;
const longestLabel = 22;

const byOrder: readonly By[] = ['day', 'model', 'engine', 'persona', 'source', 'repository'];

export interface ChartContext {
  readonly metric: Metric;
  readonly chooseMetric: (metric: Metric) => void;
  readonly chooseBy: (by: By) => void;
  /** Shows the tasks of a row. */
  readonly open: (key: string) => void;
}

interface Shown {
  readonly chart: UsageChart;
  readonly canvas: HTMLCanvasElement;
  readonly note: HTMLElement;
  readonly details: HTMLDetailsElement;
}

export class ChartPart {
  private shown: Shown | undefined;
  /** Whether the user has the table open; it stays so. */
  private tableOpen = false;
  private tableSignature = '';
  private latest: { readonly figures: AnalyticsFigures; readonly context: ChartContext } | undefined;

  constructor(private readonly words: TableWords) {}

  part({ view }: AnalyticsFigures, context: ChartContext): Part {
    return {
      name: 'chart',
      signature: JSON.stringify([view.by, context.metric]),
      make: () => this.make(view.by, context),
    };
  }

  /** Shows these figures in the part, which is in the page. */
  update(figures: AnalyticsFigures, context: ChartContext): void {
    this.latest = { figures, context };
    if (!this.shown) return;
    const { chart, canvas, note } = this.shown;
    const { text, formats } = this.words;
    const { by } = figures.view;
    const rows = by === 'day' ? figures.rows : figures.rows.slice(0, maxBars);
    canvas.setAttribute(
      'aria-label',
      fill(text.chartSummary, headingOf(text, by, context.metric), figures.span.from, figures.span.to),
    );
    note.textContent = rows.length < figures.rows.length ? fill(text.chartPart, rows.length, figures.rows.length) : '';
    chart.show({
      rows,
      labels: rows.map((row) => labelOf(row, by, text, formats)),
      metric: metricFigures(context.metric, text, formats),
      onOpen: (index) => {
        const row = rows[index];
        if (row) context.open(keyOf(row, by));
      },
    });
    this.showTable();
  }

  redraw(): void {
    this.shown?.chart.redraw();
  }

  private make(by: By, context: ChartContext): HTMLElement {
    const { text } = this.words;
    this.shown?.chart.dispose();
    const canvas = element('canvas', { role: 'img' });
    const metric = dropdown(
      text.metric,
      metrics.map((value) => ({ value, label: text.metrics[value] })),
      context.metric,
      context.chooseMetric,
    );
    metric.dataset['key'] = 'metric';
    const group = dropdown(
      text.groupBy,
      byOrder.map((value) => ({ value, label: text.dimensions[value] })),
      by,
      context.chooseBy,
    );
    group.dataset['key'] = 'by';
    const details = element('details', {}, element('summary', { 'data-key': 'table' }, text.showTable));
    details.open = this.tableOpen;
    details.addEventListener('toggle', () => {
      this.tableOpen = details.open;
      this.showTable();
    });
    const note = element('p', { class: 'note' });
    this.shown = { chart: new UsageChart(canvas), canvas, note, details };
    this.tableSignature = '';
    const heading = element('h2', {}, headingOf(text, by, context.metric));
    const choices = element('div', { class: 'choices' }, metric, group);
    const top = element('div', { class: 'sectionHead' }, heading, choices);
    return element('section', { class: 'sums' }, top, element('div', { class: 'chart' }, canvas), note, details);
  }

  /** A table of a year has thousands of cells: it is made when it is looked at. */
  private showTable(): void {
    if (!this.shown?.details.open || !this.latest) return;
    const { figures, context } = this.latest;
    const signature = JSON.stringify([figures.rows, figures.view.by]);
    if (signature === this.tableSignature) return;
    this.tableSignature = signature;
    const { details } = this.shown;
    const old = details.querySelector('.grid');
    const place = old?.contains(document.activeElement) ? gridPlaceOf(document.activeElement) : undefined;
    const table = sumTable(figures, this.words, context.open);
    if (old) old.replaceWith(table);
    else details.append(table);
    if (place) focusGridPlace(table, place);
  }
}

function headingOf(text: AnalyticsText, by: By, metric: Metric): string {
  return fill(text.metricBy, text.metrics[metric], text.dimensions[by]);
}

function labelOf(row: SumRow, by: By, text: AnalyticsText, formats: Formats): string {
  const key = keyOf(row, by);
  if (by === 'day') return formats.day(key);
  // The end of a path and of a model's name tells more than its beginning.
  return key.length > longestLabel ? `…${key.slice(1 - longestLabel)}` : key || text.unknown;
}
