import type { AnalyticsFigures } from '../src/protocol/analyticsProtocol';

export type SumRow = AnalyticsFigures['rows'][number];
type Usage = SumRow['usage'];

/** The classes of tokens that the chart stacks, from the bottom up. */
export const tokenClasses = ['inputTokens', 'cacheWriteTokens', 'cacheReadTokens', 'outputTokens'] as const;
export type TokenClass = (typeof tokenClasses)[number];

export function tokensOf(usage: Usage, tokenClass: TokenClass): number {
  switch (tokenClass) {
    case 'inputTokens':
      return usage.inputTokens;
    case 'cacheWriteTokens':
      return usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
    case 'cacheReadTokens':
      return usage.cacheReadTokens;
    case 'outputTokens':
      return usage.outputTokens;
  }
}

export function allTokensOf(usage: Usage): number {
  return tokenClasses.reduce((sum, tokenClass) => sum + tokensOf(usage, tokenClass), 0);
}

/** Of what went in, the share that was read from the cache, from 0 to 1; `null` when nothing went in. */
export function cacheHitsOf(usage: Usage): number | null {
  const all = allTokensOf(usage) - usage.outputTokens;
  return all === 0 ? null : usage.cacheReadTokens / all;
}

export function endedOf(row: Pick<SumRow, 'outcomes'>): number {
  return Object.values(row.outcomes).reduce((sum, count) => sum + count, 0);
}

/** `null` when there was nothing to take an average of. */
export function averageOf(sum: number, count: number): number | null {
  return count === 0 ? null : sum / count;
}

/** Nothing happened that the row is about. */
export function isIdle(row: SumRow): boolean {
  return row.requests === 0 && row.retries === 0 && row.runsStarted === 0 && row.sessions === 0 && endedOf(row) === 0;
}

/** What happened in the whole period. `keys` are of no row. */
export function totalsOf(rows: readonly SumRow[]): SumRow {
  const sum = (of: (row: SumRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const outcomes: SumRow['outcomes'] = {};
  for (const outcome of outcomeOrder) {
    const count = sum((row) => row.outcomes[outcome] ?? 0);
    if (count > 0) outcomes[outcome] = count;
  }
  return {
    keys: {},
    usage: {
      inputTokens: sum(({ usage }) => usage.inputTokens),
      outputTokens: sum(({ usage }) => usage.outputTokens),
      cacheWrite5mTokens: sum(({ usage }) => usage.cacheWrite5mTokens),
      cacheWrite1hTokens: sum(({ usage }) => usage.cacheWrite1hTokens),
      cacheReadTokens: sum(({ usage }) => usage.cacheReadTokens),
    },
    requests: sum((row) => row.requests),
    costUsd: sum((row) => row.costUsd),
    unpriced: sum((row) => row.unpriced),
    outcomes,
    runsStarted: sum((row) => row.runsStarted),
    waits: sum((row) => row.waits),
    queueWaitMs: sum((row) => row.queueWaitMs),
    runsEnded: sum((row) => row.runsEnded),
    runMs: sum((row) => row.runMs),
    sessions: sum((row) => row.sessions),
    sessionMs: sum((row) => row.sessionMs),
    retries: sum((row) => row.retries),
    firstTokens: sum((row) => row.firstTokens),
    firstTokenMs: sum((row) => row.firstTokenMs),
  };
}

/** As they are stacked, from the bottom up. */
export const outcomeOrder = ['verified', 'partial', 'unchecked', 'contradicted', 'failed', 'cancelled'] as const;

export interface CostFigure {
  readonly costUsd: number;
  readonly unpriced: number;
  readonly requests: number;
}

/** Makes one for each of the options: making a format takes longer than a hundred uses of it, and a year has 365 labels. */
function kept<O, F>(make: (options: O) => F): (options: O) => F {
  const made = new Map<string, F>();
  return (options) => {
    const key = JSON.stringify(options);
    const format = made.get(key) ?? make(options);
    made.set(key, format);
    return format;
  };
}

/** Numbers and times as the user's language writes them. */
export class Formats {
  private readonly numbers = kept((options: Intl.NumberFormatOptions) => new Intl.NumberFormat(this.language, options));
  private readonly times = kept(
    (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(this.language, options),
  );

  constructor(
    private readonly language: string,
    private readonly unknown: string,
  ) {}

  count(value: number): string {
    return this.numbers({}).format(value);
  }

  /** Short, for axes and tiles: 12.3K. */
  compact(value: number): string {
    return this.numbers({ notation: 'compact', maximumFractionDigits: 1 }).format(value);
  }

  /** US dollars; below ten cents with four decimals, because a task often costs less than one. `null` is unknown. */
  cost(usd: number | null): string {
    if (usd === null) return this.unknown;
    return this.dollars(usd, usd !== 0 && usd < 0.1 ? 4 : 2);
  }

  /** For an axis that goes up to `largest`: all its marks have as many decimals. */
  costMark(usd: number, largest: number): string {
    return this.dollars(usd, largest < 0.1 ? 4 : 2);
  }

  private dollars(usd: number, digits: number): string {
    return this.numbers({
      style: 'currency',
      currency: 'USD',
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(usd);
  }

  /** The cost of several requests: unknown when no price is known of any, marked as a lower bound when of some. */
  costOf(figure: CostFigure): string {
    if (figure.unpriced === 0) return this.cost(figure.costUsd);
    return figure.unpriced >= figure.requests ? this.unknown : `≥ ${this.cost(figure.costUsd)}`;
  }

  /** `45s`, `3m 20s`, `2h 5m`. */
  duration(ms: number): string {
    const seconds = Math.max(0, Math.round(ms / 1000));
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
    if (hours > 0) return `${hours}h ${minutes}m`;
    return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
  }

  /** As `duration`, and below ten seconds with tenths: `0.7s`. */
  latency(ms: number): string {
    if (ms >= 10_000) return this.duration(ms);
    const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    return `${this.numbers(digits).format(Math.max(0, ms) / 1000)}s`;
  }

  /** 0.123 as `12%`; `null` as nothing. */
  share(value: number | null): string {
    return value === null ? '–' : this.numbers({ style: 'percent' }).format(value);
  }

  /** In the user's own time zone. */
  moment(atMs: number): string {
    return this.times({ dateStyle: 'medium', timeStyle: 'short' }).format(atMs);
  }

  /** A day of the history, which is a day in UTC. */
  day(day: string): string {
    return this.times({ month: 'short', day: 'numeric', timeZone: 'UTC' }).format(Date.parse(`${day}T00:00:00Z`));
  }
}

/** Puts `values` in the places of `{0}`, `{1}`, …. */
export function fill(template: string, ...values: readonly (string | number)[]): string {
  return template.replaceAll(/\{(\d+)\}/g, (place, index: string) => String(values[Number(index)] ?? place));
}
