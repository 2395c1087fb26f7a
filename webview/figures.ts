import type { AnalyticsFigures } from '../src/protocol/analyticsProtocol';

type DailyRow = AnalyticsFigures['daily'][number];
type Usage = DailyRow['usage'];

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

/** What happened in the whole period. */
export interface Totals {
  readonly tokens: number;
  readonly requests: number;
  readonly costUsd: number;
  /** Requests whose price is not known: `costUsd` is without them. */
  readonly unpriced: number;
  readonly ended: number;
  readonly verified: number;
}

export function totalsOf(daily: readonly DailyRow[]): Totals {
  const sum = (of: (row: DailyRow) => number): number => daily.reduce((total, row) => total + of(row), 0);
  return {
    tokens: sum((row) => allTokensOf(row.usage)),
    requests: sum((row) => row.requests),
    costUsd: sum((row) => row.costUsd),
    unpriced: sum((row) => row.unpriced),
    ended: sum((row) => Object.values(row.outcomes).reduce((total, count) => total + count, 0)),
    verified: sum((row) => row.outcomes.verified ?? 0),
  };
}

export interface CostFigure {
  readonly costUsd: number;
  readonly unpriced: number;
  readonly requests: number;
}

/** Numbers and times as the user's language writes them. */
export class Formats {
  constructor(
    private readonly language: string,
    private readonly unknown: string,
  ) {}

  count(value: number): string {
    return new Intl.NumberFormat(this.language).format(value);
  }

  /** Short, for axes and tiles: 12.3K. */
  compact(value: number): string {
    return new Intl.NumberFormat(this.language, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
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
    return new Intl.NumberFormat(this.language, {
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

  /** In the user's own time zone. */
  moment(atMs: number): string {
    return new Intl.DateTimeFormat(this.language, { dateStyle: 'medium', timeStyle: 'short' }).format(atMs);
  }

  /** A day of the history, which is a day in UTC. */
  day(day: string): string {
    const options = { month: 'short', day: 'numeric', timeZone: 'UTC' } as const;
    return new Intl.DateTimeFormat(this.language, options).format(Date.parse(`${day}T00:00:00Z`));
  }
}

/** Puts `values` in the places of `{0}`, `{1}`, …. */
export function fill(template: string, ...values: readonly (string | number)[]): string {
  return template.replaceAll(/\{(\d+)\}/g, (place, index: string) => String(values[Number(index)] ?? place));
}
