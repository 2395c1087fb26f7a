import type { LaneAllowance } from '../../core/engine';

const kinds = [
  ['requests', 'requests'],
  ['input-tokens', 'inputTokens'],
  ['output-tokens', 'outputTokens'],
] as const;

/** What the headers of an answer say of the server's limits (`anthropic-ratelimit-…`). Nonsense says nothing. */
export function readAllowances(headers: Headers): LaneAllowance[] {
  return kinds.flatMap(([name, of]) => {
    const value = (what: string): string => headers.get(`anthropic-ratelimit-${name}-${what}`) ?? '';
    const remaining = count(value('remaining'));
    const resetMs = Date.parse(value('reset'));
    if (remaining === null || Number.isNaN(resetMs)) return [];
    return [{ of, limit: count(value('limit')), remaining, resetMs }];
  });
}

function count(text: string): number | null {
  return /^\d{1,12}$/.test(text.trim()) ? Number(text) : null;
}
