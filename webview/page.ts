import {
  type AnalyticsFigures,
  type AnalyticsPageMemory,
  type AnalyticsSetup,
  type AnalyticsView,
  type FromAnalyticsPage,
  type ToAnalyticsPage,
} from '../src/protocol/analyticsProtocol';
import { type ChartContext, ChartPart } from './chartPart';
import { element } from './dom';
import { fill, Formats, isIdle, totalsOf } from './figures';
import { headerOf } from './header';
import { type Part, Slots } from './slots';
import { budgetTable, taskTable } from './tables';
import { tilesOf } from './tiles';
import { button, linkButton, progressRing } from './toolkit';

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
  private readonly slots: Slots;
  private readonly chart: ChartPart;
  private memory: AnalyticsPageMemory;
  private figures: AnalyticsFigures | undefined;
  /** How many steps of the page are shown. Each waits until the one before it is painted: the figures do not wait for the tables. */
  private steps = 1;
  /** The user has asked for the tasks of a row, and is led there when they come. */
  private goesToTasks = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly options: PageOptions,
  ) {
    const { language, text } = options.setup;
    this.formats = new Formats(language, text.unknown);
    this.memory = options.memory;
    this.slots = new Slots(root);
    this.chart = new ChartPart({ text, formats: this.formats });
  }

  show(state: ToAnalyticsPage): void {
    switch (state.kind) {
      case 'loading':
        // What is on the page is better than a ring; it is replaced when the figures come.
        if (this.figures) this.root.setAttribute('aria-busy', 'true');
        else this.showParts([{ name: 'notice', signature: 'loading', make: () => this.loading() }]);
        return;
      case 'failed':
        this.figures = undefined;
        this.steps = 1;
        this.showParts([{ name: 'notice', signature: state.message, make: () => this.failed(state.message) }]);
        return;
      case 'figures':
        this.figures = state.figures;
        this.showFigures(state.figures);
        return;
    }
  }

  themeChanged(): void {
    this.chart.redraw();
  }

  private get text(): AnalyticsSetup['text'] {
    return this.options.setup.text;
  }

  private showParts(parts: readonly Part[]): void {
    this.root.removeAttribute('aria-busy');
    this.slots.show(parts);
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
    const isQuiet = figures.rows.every(isIdle);
    const { range } = this.memory.view;
    // Days are typed into it: figures that come meanwhile must not make it anew.
    const header = {
      name: 'header',
      signature: typeof range === 'number' ? `${range}` : 'own',
      make: () => this.header(),
    };
    if (isQuiet && figures.tasks.length === 0 && !figures.hasHistory) {
      this.showParts([header, this.asOf(figures), { name: 'notice', signature: 'empty', make: () => this.empty() }]);
      return;
    }
    const quiet = (): HTMLElement => element('p', { class: 'quiet', role: 'status' }, this.text.nothingInPeriod);
    const totals = totalsOf(figures.rows);
    const inPeriod: Part = isQuiet
      ? { name: 'quiet', signature: '', make: quiet }
      : { name: 'tiles', signature: JSON.stringify(totals), make: () => tilesOf(totals, this.text, this.formats) };
    const context = this.chartContext(figures);
    const steps: Part[][] = [
      [header, this.asOf(figures), inPeriod],
      isQuiet ? [] : [this.chart.part(figures, context)],
      [this.budgets(figures), this.tasks(figures)],
    ];
    this.showParts(steps.slice(0, this.steps).flat());
    // The canvas is in the page now: before that it has no size.
    if (!isQuiet) this.chart.update(figures, context);
    if (this.steps < steps.length) this.showNextStep(figures);
    else this.goToTasks(figures);
  }

  private showNextStep(figures: AnalyticsFigures): void {
    const { steps } = this;
    afterPaint(() => {
      // Newer figures go on by themselves.
      if (this.figures !== figures || this.steps !== steps) return;
      this.steps += 1;
      this.showFigures(figures);
    });
  }

  private goToTasks(figures: AnalyticsFigures): void {
    if (!this.goesToTasks || figures.view.row === null) return;
    this.goesToTasks = false;
    this.root.querySelector<HTMLElement>('[data-key="tasks"]')?.focus();
  }

  private chartContext({ view }: AnalyticsFigures): ChartContext {
    return {
      metric: this.memory.metric,
      chooseMetric: (metric) => {
        this.remember({ ...this.memory, metric });
        if (this.figures) this.showFigures(this.figures);
      },
      chooseBy: (by) => this.look({ ...view, by, row: null }),
      open: (row) => {
        this.goesToTasks = true;
        this.look({ ...view, row });
      },
    };
  }

  private header(): HTMLElement {
    const { send } = this.options;
    return headerOf(this.text, {
      range: this.memory.view.range,
      span: () => this.figures?.span,
      chooseRange: (range) => this.look({ ...this.memory.view, range, row: null }),
      refresh: () => send({ kind: 'refresh' }),
      save: (format) => send({ kind: 'export', format }),
    });
  }

  private asOf({ updatedAtMs }: AnalyticsFigures): Part {
    const words = fill(this.text.updatedAt, this.formats.moment(updatedAtMs));
    return { name: 'asOf', signature: words, make: () => element('p', { class: 'asOf' }, words) };
  }

  private budgets(figures: AnalyticsFigures): Part {
    const make = (): HTMLElement => {
      const table = budgetTable(figures, { text: this.text, formats: this.formats });
      const note = element('p', { class: 'note' }, this.text.forecastNote);
      return element('section', { class: 'budgets' }, element('h2', {}, this.text.budgets), table, note);
    };
    return { name: 'budgets', signature: JSON.stringify(figures.budgets), make };
  }

  private tasks(figures: AnalyticsFigures): Part {
    const { tasks, hasMoreTasks, view } = figures;
    return {
      name: 'tasks',
      signature: JSON.stringify([tasks, hasMoreTasks, view.row, view.by]),
      make: () => this.taskSection(figures),
    };
  }

  private taskSection(figures: AnalyticsFigures): HTMLElement {
    const { text } = this;
    const { row } = figures.view;
    const heading = row === null ? text.tasks : fill(text.tasksOf, row || text.unknown);
    const head = element(
      'div',
      { class: 'sectionHead' },
      element('h2', { tabindex: '-1', 'data-key': 'tasks' }, heading),
    );
    if (row !== null) {
      const all = linkButton(text.allTasks, text.allTasks, () => this.look({ ...figures.view, row: null }));
      all.dataset['key'] = 'allTasks';
      head.append(all);
    }
    const section = element('section', { class: 'tasks' }, head);
    if (figures.tasks.length === 0) section.append(element('p', { class: 'quiet' }, text.noTasks));
    else
      section.append(
        taskTable(figures, { text, formats: this.formats }, (taskId) =>
          this.options.send({ kind: 'revealTask', taskId }),
        ),
      );
    if (figures.hasMoreTasks) {
      const more = button(text.showMore, () => this.options.send({ kind: 'showMoreTasks' }));
      more.dataset['key'] = 'more';
      section.append(more);
    }
    return section;
  }

  private look(view: AnalyticsView): void {
    this.remember({ ...this.memory, view });
    this.options.send({ kind: 'look', view });
  }

  private remember(memory: AnalyticsPageMemory): void {
    this.memory = memory;
    this.options.remember(memory);
  }
}

function afterPaint(then: () => void): void {
  requestAnimationFrame(() => setTimeout(then));
}
