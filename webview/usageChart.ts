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
import type { AnalyticsFigures, AnalyticsPageMemory, AnalyticsText } from '../src/protocol/analyticsProtocol';
import { type Formats, tokenClasses, tokensOf } from './figures';
import { readTheme, type ThemeColors } from './theme';

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Legend, Tooltip);

export interface UsageChartContent {
  readonly daily: AnalyticsFigures['daily'];
  readonly metric: AnalyticsPageMemory['metric'];
  readonly text: AnalyticsText;
  readonly formats: Formats;
}

/** Tokens, stacked by class, or cost: a bar for each day. */
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
    this.chart?.destroy();
    this.chart = new Chart(this.canvas, configuration);
  }

  dispose(): void {
    this.chart?.destroy();
    this.chart = undefined;
    this.content = undefined;
  }
}

function configure(content: UsageChartContent, theme: ThemeColors): ChartConfiguration {
  const { daily, formats, metric } = content;
  const write = (value: number | null): string => (metric === 'cost' ? formats.cost(value) : formats.count(value ?? 0));
  const largest = Math.max(0, ...daily.map((row) => row.costUsd));
  const axis = (value: number): string =>
    metric === 'cost' ? formats.costMark(value, largest) : formats.compact(value);
  const font = { family: theme.fontFamily, size: theme.fontSizePx };
  const ticks = { color: theme.foreground, font };
  return {
    type: 'bar',
    data: { labels: daily.map((row) => formats.day(row.day)), datasets: datasets(content, theme) },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { stacked: true, grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 } },
        y: {
          stacked: true,
          beginAtZero: true,
          grid: { color: theme.lines },
          border: { display: false },
          ticks: { ...ticks, maxTicksLimit: 6, callback: (value) => axis(Number(value)) },
        },
      },
      plugins: {
        legend: {
          display: metric === 'tokens',
          labels: { color: theme.foreground, font, boxWidth: 12, boxHeight: 12 },
        },
        tooltip: {
          titleFont: font,
          bodyFont: font,
          callbacks: { label: (item) => `${item.dataset.label ?? ''}: ${write(item.parsed.y)}` },
        },
      },
    },
  };
}

function datasets(content: UsageChartContent, theme: ThemeColors): ChartDataset<'bar'>[] {
  const { daily, metric, text } = content;
  const look = (index: number): Partial<ChartDataset<'bar'>> => ({
    backgroundColor: theme.series[index % theme.series.length],
    borderColor: theme.contrastBorder ?? theme.background,
    // A thin line in the page's own colour keeps stacked parts apart for who cannot tell the colours.
    borderWidth: theme.contrastBorder ? 1 : { top: 1 },
    maxBarThickness: 40,
  });
  if (metric === 'cost') return [{ label: text.cost, data: daily.map((row) => row.costUsd), ...look(0) }];
  return tokenClasses.map((tokenClass, index) => ({
    label: text[tokenClass],
    data: daily.map((row) => tokensOf(row.usage, tokenClass)),
    ...look(index),
  }));
}
