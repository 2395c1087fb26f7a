import { z } from 'zod';
import type { TokenUsage } from '../../core/usage';

/** A count that is missing or no count is taken as not given: servers in the field leave out what they do not know. */
const count = z.number().int().nonnegative().nullish().catch(null);

export const wireUsageSchema = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
  cache_creation: z
    .object({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })
    .nullish()
    .catch(null),
});
export type WireUsage = z.infer<typeof wireUsageSchema>;

/** Counts are totals of the whole message and left out where they do not apply, so a later one replaces and never adds. */
export function mergeUsage(earlier: WireUsage, later: WireUsage): WireUsage {
  return {
    input_tokens: later.input_tokens ?? earlier.input_tokens,
    output_tokens: later.output_tokens ?? earlier.output_tokens,
    cache_creation_input_tokens: later.cache_creation_input_tokens ?? earlier.cache_creation_input_tokens,
    cache_read_input_tokens: later.cache_read_input_tokens ?? earlier.cache_read_input_tokens,
    cache_creation: later.cache_creation ?? earlier.cache_creation,
  };
}

/** Cache writes are split by how long they are kept, since each has a price of its own. */
export function tokenUsageOf(usage: WireUsage): TokenUsage {
  const hourTokens = usage.cache_creation?.ephemeral_1h_input_tokens ?? 0;
  const fiveMinuteTokens = usage.cache_creation?.ephemeral_5m_input_tokens ?? 0;
  const written = usage.cache_creation_input_tokens ?? hourTokens + fiveMinuteTokens;
  const cacheWrite1hTokens = Math.min(hourTokens, written);
  return {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    cacheWrite5mTokens: written - cacheWrite1hTokens,
    cacheWrite1hTokens,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
  };
}
