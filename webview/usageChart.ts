import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  Legend,
  LinearScale,
  Tooltip,
} from 'chart.js';
import type { SumRow } from './figures';
import type { MetricFigures } from './metrics';
import { readTheme, type ThemeColors } from './theme';

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Legend, Tooltip);

export interface UsageChartContent {
  readonly rows: readonly SumRow[];
  readonly labels: readonly string[];
  readonly metric: MetricFigures;
  /** Called with the place of the bar that was clicked. */
  readonly onOpen: (index: number) => void;
}

/** A bar for each row, stacked when the metric has several series. */
export class UsageChart {
  private chart: Chart | undefined;
  private content: UsageChartContent | undefined;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  show(content: UsageChartContent): void {
    this.content = content;
    this.redraw();
  }

  /** Draws it with the colours of today's theme. */
  redraw(): void {
    if (!this.content) return;
    const configuration = configure(this.content, readTheme());
    if (this.chart) {
      this.chart.data = configuration.data;
      this.chart.options = configuration.options ?? {};
      this.chart.update('none');
    } else this.chart = new Chart(this.canvas, configuration);
  }

  dispose(): void {
    this.chart?.destroy();
    this.chart = undefined;
    this.content = undefined;
  }
}

function configure(content: UsageChartContent, theme: ThemeColors): ChartConfiguration {
  const { rows, labels, metric } = content;
  const largest = Math.max(0, ...rows.map((row) => metric.series.reduce((sum, of) => sum + (of.valueOf(row) ?? 0), 0)));
  const font = { family: theme.fontFamily, size: theme.fontSizePx };
  const ticks = { color: theme.foreground, font };
  return {
    type: 'bar',
    data: { labels: [...labels], datasets: datasets(content, theme) },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'index', intersect: false },
      onClick: (_, [element]) => element && content.onOpen(element.index),
      scales: {
        x: { stacked: true, grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 } },
        y: {
          stacked: true,
          beginAtZero: true,
          grid: { color: theme.lines },
          border: { display: false },
          ticks: { ...ticks, maxTicksLimit: 6, callback: (value) => metric.mark(Number(value), largest) },
        },
      },
      plugins: {
        legend: {
          display: metric.series.length > 1,
          labels: { color: theme.foreground, font, boxWidth: 12, boxHeight: 12 },
        },
        tooltip: {
          titleFont: font,
          bodyFont: font,
          callbacks: { label: (item) => `${item.dataset.label ?? ''}: ${metric.write(item.parsed.y ?? 0)}` },
        },
      },
    },
  };
}

/** With more bars than these each is so thin that a line round its parts would be all of it, and takes long to draw. */
const mostBordered = 100;

function borderOf(bars: number, theme: ThemeColors): number | { top: number } {
  if (bars > mostBordered) return 0;
  // A thin line in the page's own colour keeps stacked parts apart for who cannot tell the colours.
  return theme.contrastBorder ? 1 : { top: 1 };
}

function datasets({ rows, metric }: UsageChartContent, theme: ThemeColors): ChartDataset<'bar', (number | null)[]>[] {
  return metric.series.map(({ label, valueOf }, index) => ({
    label,
    data: rows.map(valueOf),
    backgroundColor: theme.series[index % theme.series.length],
    borderColor: theme.contrastBorder ?? theme.background,
    borderWidth: borderOf(rows.length, theme),
    maxBarThickness: 40,
    // All series stand on one another: for each bar the library need not look for its place among others.
    grouped: false,
  }));
}
