// What the chart can show: for each metric its series, and how its numbers are written.
import type { AnalyticsText, Metric } from '../src/protocol/analyticsProtocol';
import { averageOf, cacheHitsOf, type Formats, outcomeOrder, type SumRow, tokenClasses, tokensOf } from './figures';

export interface Series {
  readonly label: string;
  /** `null`: there is nothing to show for this row. */
  readonly valueOf: (row: SumRow) => number | null;
}

export interface MetricFigures {
  readonly series: readonly Series[];
  readonly write: (value: number) => string;
  /** For an axis that goes up to `largest`. */
  readonly mark: (value: number, largest: number) => string;
}

export function metricFigures(metric: Metric, text: AnalyticsText, formats: Formats): MetricFigures {
  const single = (valueOf: Series['valueOf']): Series[] => [{ label: text.metrics[metric], valueOf }];
  const counts = { write: (value: number) => formats.count(value), mark: (value: number) => formats.compact(value) };
  const times = { write: (value: number) => formats.latency(value), mark: (value: number) => formats.latency(value) };
  switch (metric) {
    case 'tokens':
      return {
        series: tokenClasses.map((tokenClass) => ({
          label: text[tokenClass],
          valueOf: ({ usage }) => tokensOf(usage, tokenClass),
        })),
        ...counts,
      };
    case 'cost':
      return {
        series: single(({ costUsd }) => costUsd),
        write: (value) => formats.cost(value),
        mark: (value, largest) => formats.costMark(value, largest),
      };
    case 'cacheHits':
      return {
        series: single(({ usage }) => cacheHitsOf(usage)),
        write: (value) => formats.share(value),
        mark: (value) => formats.share(value),
      };
    case 'verdicts':
      return {
        series: outcomeOrder.map((outcome) => ({
          label: text.outcomes[outcome],
          valueOf: ({ outcomes }) => outcomes[outcome] ?? 0,
        })),
        ...counts,
      };
    case 'sessionTime':
      return { series: single(({ sessionMs }) => sessionMs), ...times };
    case 'queueWait':
      return { series: single(({ queueWaitMs, waits }) => averageOf(queueWaitMs, waits)), ...times };
    case 'firstToken':
      return { series: single(({ firstTokenMs, firstTokens }) => averageOf(firstTokenMs, firstTokens)), ...times };
    case 'retries':
      return { series: single(({ retries }) => retries), ...counts };
  }
}
