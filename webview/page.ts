import {
  type AnalyticsFigures,
  type AnalyticsPageMemory,
  type AnalyticsSetup,
  type FromAnalyticsPage,
  type Period,
  periods,
  type ToAnalyticsPage,
} from '../src/protocol/analyticsProtocol';
import { element } from './dom';
import { fill, Formats, type Totals, totalsOf } from './figures';
import { dailyTable, modelTable, taskTable } from './tables';
import { button, dropdown, progressRing, radioGroup } from './toolkit';
import { UsageChart } from './usageChart';

export interface PageOptions {
  readonly setup: AnalyticsSetup;
  readonly memory: AnalyticsPageMemory;
  /** Sends an intent up. */
  readonly send: (intent: FromAnalyticsPage) => void;
  readonly remember: (memory: AnalyticsPageMemory) => void;
}

/** The page: shows the state that came last, and sends up what the user asks for. */
export class Page {
  private readonly formats: Formats;
  private memory: AnalyticsPageMemory;
  private figures: AnalyticsFigures | undefined;
  private chart: UsageChart | undefined;
  /** Whether the user has the chart's table open; a refresh leaves it so. */
  private tableOpen = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly options: PageOptions,
  ) {
    this.formats = new Formats(options.setup.language, options.setup.text.unknown);
    this.memory = options.memory;
  }

  show(state: ToAnalyticsPage): void {
    switch (state.kind) {
      case 'loading':
        // What is on the page is better than a ring; it is replaced when the figures come.
        if (this.figures) this.root.setAttribute('aria-busy', 'true');
        else this.replace(this.loading());
        return;
      case 'failed':
        this.figures = undefined;
        this.replace(this.failed(state.message));
        return;
      case 'figures':
        this.figures = state.figures;
        this.showFigures(state.figures);
        return;
    }
  }

  themeChanged(): void {
    this.chart?.redraw();
  }

  private get text(): AnalyticsSetup['text'] {
    return this.options.setup.text;
  }

  private replace(...children: readonly HTMLElement[]): void {
    this.chart?.dispose();
    this.chart = undefined;
    this.root.removeAttribute('aria-busy');
    // What had the focus is made anew: the same place gets it back.
    const focused = this.focusKey();
    this.root.replaceChildren(...children);
    if (focused) this.root.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
  }

  private focusKey(): string | undefined {
    const active = document.activeElement;
    return active instanceof HTMLElement ? active.closest<HTMLElement>('[data-key]')?.dataset['key'] : undefined;
  }

  private loading(): HTMLElement {
    return element('div', { class: 'notice', role: 'status' }, progressRing(this.text.loading), this.text.loading);
  }

  private failed(message: string): HTMLElement {
    const retry = button(this.text.retry, () => this.options.send({ kind: 'refresh' }), 'primary');
    const words = element('p', {}, element('strong', {}, this.text.failed), ' ', message);
    return element('div', { class: 'notice', role: 'alert' }, words, retry);
  }

  private empty(): HTMLElement {
    const hint = element('p', {}, this.text.nothingYetHint);
    return element('div', { class: 'notice', role: 'status' }, element('h2', {}, this.text.nothingYet), hint);
  }

  private showFigures(figures: AnalyticsFigures): void {
    const totals = totalsOf(figures.daily);
    const isQuiet = totals.requests === 0 && totals.ended === 0;
    if (isQuiet && figures.tasks.length === 0) {
      this.replace(this.header(figures), this.empty());
      return;
    }
    const quiet = element('p', { class: 'quiet' }, this.text.nothingInPeriod);
    const canvas = element('canvas', { role: 'img', 'aria-label': this.chartSummary(figures, totals) });
    const inPeriod = isQuiet ? [quiet] : [this.tiles(totals), this.chartSection(figures, canvas), this.models(figures)];
    this.replace(this.header(figures), ...inPeriod, this.tasks(figures));
    if (isQuiet) return;
    // The canvas is in the page now: before that it has no size.
    this.chart = new UsageChart(canvas);
    this.showChart(figures);
  }

  private showChart(figures: AnalyticsFigures): void {
    const { metric } = this.memory;
    this.chart?.show({ daily: figures.daily, metric, text: this.text, formats: this.formats });
  }

  private header(figures: AnalyticsFigures): HTMLElement {
    const choices = periods.map((days) => ({ value: String(days), label: fill(this.text.lastDays, days) }));
    const chosen = dropdown(this.text.period, choices, String(figures.period), (value) => {
      const period = periods.find((days) => String(days) === value);
      if (period !== undefined) this.choosePeriod(period);
    });
    chosen.dataset['key'] = 'period';
    const refresh = button(this.text.refresh, () => this.options.send({ kind: 'refresh' }));
    refresh.dataset['key'] = 'refresh';
    const asOf = element(
      'span',
      { class: 'asOf' },
      fill(this.text.updatedAt, this.formats.moment(figures.updatedAtMs)),
    );
    return element('header', {}, element('h1', {}, this.text.title), chosen, refresh, asOf);
  }

  private choosePeriod(period: Period): void {
    this.remember({ ...this.memory, period });
    this.options.send({ kind: 'choosePeriod', period });
  }

  private tiles(totals: Totals): HTMLElement {
    const { text, formats } = this;
    const ended = formats.count(totals.ended);
    const verified = fill(text.ofTasks, formats.count(totals.verified), ended);
    const unpriced = totals.unpriced > 0 ? fill(text.unpriced, formats.count(totals.unpriced)) : '';
    return element(
      'dl',
      { class: 'tiles' },
      tile(text.tasksEnded, ended, ''),
      tile(text.verified, verified, ''),
      tile(text.tokens, formats.compact(totals.tokens), fill(text.requests, formats.count(totals.requests))),
      tile(text.cost, formats.costOf(totals), totals.unpriced >= totals.requests ? '' : unpriced),
    );
  }

  private chartSection(figures: AnalyticsFigures, canvas: HTMLCanvasElement): HTMLElement {
    const { text } = this;
    const heading = element('h2', {}, fill(text.byDay, this.metricName()));
    const metrics = [
      { value: 'tokens', label: text.tokens },
      { value: 'cost', label: text.cost },
    ] as const;
    const choice = radioGroup(text.metric, metrics, this.memory.metric, (metric) => {
      this.remember({ ...this.memory, metric });
      this.showFigures(figures);
    });
    choice.dataset['key'] = 'metric';
    const table = element('details', {}, element('summary', { 'data-key': 'table' }, text.showTable));
    table.open = this.tableOpen;
    table.append(dailyTable(figures, text, this.formats));
    table.addEventListener('toggle', () => (this.tableOpen = table.open));
    const top = element('div', { class: 'sectionHead' }, heading, choice);
    return element('section', {}, top, element('div', { class: 'chart' }, canvas), table);
  }

  private models(figures: AnalyticsFigures): HTMLElement {
    const heading = element('h2', {}, this.text.byModel);
    return element('section', {}, heading, modelTable(figures, this.text, this.formats));
  }

  private tasks(figures: AnalyticsFigures): HTMLElement {
    const section = element('section', {}, element('h2', {}, this.text.endedTasks));
    section.append(taskTable(figures, this.text, this.formats));
    if (figures.hasMoreTasks) {
      const more = button(this.text.showMore, () => this.options.send({ kind: 'showMoreTasks' }));
      more.dataset['key'] = 'more';
      section.append(more);
    }
    return section;
  }

  private chartSummary(figures: AnalyticsFigures, totals: Totals): string {
    const all = this.memory.metric === 'cost' ? this.formats.costOf(totals) : this.formats.count(totals.tokens);
    const [first, last] = [figures.daily.at(0)?.day ?? '', figures.daily.at(-1)?.day ?? ''];
    return fill(this.text.chartSummary, this.metricName(), first, last, all);
  }

  private metricName(): string {
    return this.memory.metric === 'cost' ? this.text.cost : this.text.tokens;
  }

  private remember(memory: AnalyticsPageMemory): void {
    this.memory = memory;
    this.options.remember(memory);
  }
}

function tile(name: string, value: string, note: string): HTMLElement {
  const small = note ? [element('dd', { class: 'note' }, note)] : [];
  return element('div', { class: 'tile' }, element('dt', {}, name), element('dd', { class: 'value' }, value), ...small);
}
