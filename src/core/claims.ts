import { z } from 'zod';
import { passed, summarizeChecks, type CheckResult } from './evidence';

/** One thing that an agent says of its result. */
export const claimSchema = z.object({
  statement: z.string().min(1).max(500),
  /** The check that shows it, word for word; `null` when the agent named none. */
  check: z.string().max(10_000).nullable(),
});
export type Claim = z.infer<typeof claimSchema>;

/** What an agent says as it ends its work: its own words, of which nothing is believed. */
export const claimsSchema = z.object({ summary: z.string().max(10_000), claims: z.array(claimSchema).max(20) });
export type Claims = z.infer<typeof claimsSchema>;

/** `unproven`: no check that was run is named with it. */
export type ClaimStanding = 'confirmed' | 'contradicted' | 'unproven';

/**
 * What the evidence says of a claim. It is confirmed when the named check passes on the result, and also with tests and
 * configuration as they were in the base; a check that was changed so that it passes confirms nothing.
 */
export function standingOf({ check }: Claim, results: readonly CheckResult[]): ClaimStanding {
  const found = summarizeChecks(results).find(({ command }) => command === check?.trim());
  if (!found?.onResult) return 'unproven';
  if (!passed(found.onResult)) return 'contradicted';
  return found.onRestored && !passed(found.onRestored) ? 'unproven' : 'confirmed';
}
