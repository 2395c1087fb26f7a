import { z } from 'zod';

const tokens = z.number().int().nonnegative();

/** Tokens of one or more model requests, in all the classes that are billed apart. */
export const tokenUsageSchema = z.object({
  inputTokens: tokens,
  outputTokens: tokens,
  cacheWrite5mTokens: tokens,
  cacheWrite1hTokens: tokens,
  cacheReadTokens: tokens,
});
export type TokenUsage = z.infer<typeof tokenUsageSchema>;

export const noUsage: TokenUsage = Object.freeze({
  inputTokens: 0,
  outputTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 0,
});

export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheWrite5mTokens: a.cacheWrite5mTokens + b.cacheWrite5mTokens,
    cacheWrite1hTokens: a.cacheWrite1hTokens + b.cacheWrite1hTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  };
}

/** Every token that went in or out, whatever its price. */
export function totalTokens(usage: TokenUsage): number {
  return inputTokensOf(usage) + usage.outputTokens;
}

/** Of what went in, the share that was read from the cache, in whole percent; 0 when nothing went in. */
export function cacheHitPercent(usage: TokenUsage): number {
  const all = inputTokensOf(usage);
  return all === 0 ? 0 : Math.floor((100 * usage.cacheReadTokens) / all);
}

/** Every token that went in: fresh, written to the cache, and read from it. */
export function inputTokensOf(usage: TokenUsage): number {
  return usage.inputTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens + usage.cacheReadTokens;
}
