import { sha256 } from '../base/digest';
import type { OwnPrices, PriceEntry } from '../core/prices';
import { inputTokensOf, type TokenUsage } from '../core/usage';

/** US dollars for a million tokens of each class. */
interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
}

interface ModelPrice {
  /** Names of models, without the date that may follow. */
  readonly models: readonly string[];
  readonly rates: Rates;
  /** Rates of a whole request whose prompt, cached parts included, is longer than that. */
  readonly longPrompt?: { readonly overTokens: number; readonly rates: Rates };
}

/** Where the prices are from, and when they were looked up. */
export const priceList = {
  version: '2026-10-25',
  source: 'https://platform.claude.com/docs/en/about-claude/pricing',
} as const;

/** Writing to the cache costs 1.25 times the input for five minutes and twice the input for an hour, for every model. */
function rates(input: number, output: number, cacheRead: number): Rates {
  return { input, output, cacheWrite5m: input * 1.25, cacheWrite1h: input * 2, cacheRead };
}

const free: Rates = { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 };

const prices: readonly ModelPrice[] = [
  { models: ['claude-fable-5-1', 'claude-mythos-5-1'], rates: rates(10, 50, 0.25) },
  { models: ['claude-fable-5', 'claude-mythos-5'], rates: rates(10, 50, 1) },
  { models: ['claude-opus-5-5'], rates: rates(4, 20, 0.2) },
  {
    models: ['claude-opus-5', 'claude-opus-4-8', 'claude-opus-4-7', 'claude-opus-4-6', 'claude-opus-4-5'],
    rates: rates(5, 25, 0.5),
  },
  { models: ['claude-opus-4-1', 'claude-opus-4', 'claude-opus-4-0'], rates: rates(15, 75, 1.5) },
  { models: ['claude-sonnet-5-5'], rates: rates(2, 10, 0.1) },
  { models: ['claude-sonnet-5'], rates: rates(2, 10, 0.2) },
  {
    models: ['claude-sonnet-4-6', 'claude-sonnet-4-5', 'claude-sonnet-4', 'claude-sonnet-4-0'],
    rates: rates(3, 15, 0.3),
  },
  {
    models: ['claude-haiku-5-5'],
    rates: rates(0.1, 0.5, 0.01),
    longPrompt: { overTokens: 100_000, rates: rates(0.5, 2.5, 0.05) },
  },
  { models: ['claude-haiku-4-5'], rates: rates(1, 5, 0.1) },
  { models: ['claude-3-5-haiku'], rates: rates(0.8, 4, 0.08) },
  // The bundled script runs on this machine and calls nobody.
  { models: ['airlock-scripted'], rates: free },
];

const priceOfModel = new Map(prices.flatMap((price) => price.models.map((model) => [model, price] as const)));

/**
 * What one request cost, in US dollars, at the public list price. `null` when the model's price is not known: it is never
 * guessed, not even from a name that is nearly the same.
 */
export function costOf(model: string, usage: TokenUsage): number | null {
  // `claude-opus-4-5-20251101` is priced as `claude-opus-4-5`, and `…[1m]` asks for the long window at the same price.
  const price = priceOfModel.get(model.replace(/\[1m\]$/, '').replace(/-(\d{8}|latest)$/, ''));
  if (!price) return null;
  const { longPrompt } = price;
  const isLong = longPrompt && inputTokensOf(usage) > longPrompt.overTokens;
  return costAt(isLong ? longPrompt.rates : price.rates, usage);
}

/** Prices as the executor counts with them: the user's own, and behind them the public ones. */
export interface Prices {
  /** Names them: the version of the public list, and which own ones. */
  readonly version: string;
  /** As `costOf`. */
  costOf(model: string, usage: TokenUsage): number | null;
}

/** @param isLocal The server is on this machine: what has no price there, neither own nor public, costs nothing. */
export function pricesWith(own: OwnPrices, isLocal = false): Prices {
  const entries = Object.entries(own).sort(([a], [b]) => b.length - a.length);
  const patterns = entries.map(([pattern, entry]) => ({ test: patternOf(pattern), rates: ownRates(entry) }));
  const { version, source } = priceList;
  const ownVersion = entries.length === 0 ? '' : `, own ${sha256(JSON.stringify(entries)).slice(0, 8)}`;
  return {
    version: `${version} (${source})${ownVersion}${isLocal ? ', others free on this machine' : ''}`,
    costOf(model, usage) {
      const found = patterns.find(({ test }) => test.test(model));
      return found ? costAt(found.rates, usage) : (costOf(model, usage) ?? (isLocal ? 0 : null));
    },
  };
}

function patternOf(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
}

function ownRates({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: PriceEntry): Rates {
  return {
    input,
    output,
    cacheWrite5m: cacheWrite5m ?? input * 1.25,
    cacheWrite1h: cacheWrite1h ?? input * 2,
    cacheRead: cacheRead ?? input,
  };
}

function costAt(used: Rates, usage: TokenUsage): number {
  const perMillion =
    usage.inputTokens * used.input +
    usage.outputTokens * used.output +
    usage.cacheWrite5mTokens * used.cacheWrite5m +
    usage.cacheWrite1hTokens * used.cacheWrite1h +
    usage.cacheReadTokens * used.cacheRead;
  return perMillion / 1_000_000;
}
