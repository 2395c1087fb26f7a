import { z } from 'zod';
import { assertNever } from '../base/errors';
import { digestSchema, objectIdSchema } from './ids';

/**
 * What a check was run on.
 * - `base`: the commit that the run started from.
 * - `result`: the tree that the run ended with.
 * - `restored`: the result with the check surface (tests, runner and package configuration, lock files, dotfiles) put
 *   back as it was in the base, so that a check that was bent does not count.
 */
export const checkSubjectSchema = z.enum(['base', 'result', 'restored']);
export type CheckSubject = z.infer<typeof checkSubjectSchema>;

/** One check on one tree, as the executor saw it: run by itself, in a fresh jail. */
export const checkResultSchema = z.object({
  command: z.string(),
  on: checkSubjectSchema,
  /** The tree that was checked. */
  tree: objectIdSchema,
  /** `null` when it was ended by a signal or a limit. */
  exitCode: z.number().int().nullable(),
  /** Why there is no exit code: `timeout`, `SIGKILL`, a limit's name. */
  endedBy: z.string().nullable(),
  /** The blob with its output, stdout and stderr as they came, up to a cap. */
  output: digestSchema,
  outputBytes: z.number().int().nonnegative(),
  durationMs: z.number().nonnegative(),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

export const verdictSchema = z.enum(['verified', 'partial', 'contradicted', 'unchecked']);
export type Verdict = z.infer<typeof verdictSchema>;

export function passed(result: CheckResult): boolean {
  return result.exitCode === 0;
}

/** What is known of one check on all three trees. */
export interface CheckSummary {
  readonly command: string;
  readonly onBase: CheckResult | undefined;
  readonly onResult: CheckResult | undefined;
  readonly onRestored: CheckResult | undefined;
  /** It passes on the base too, so its passing proves no change. */
  readonly provesNoChange: boolean;
}

/** Groups results by command, in the order in which the commands first appear. A later result replaces an earlier one. */
export function summarizeChecks(results: readonly CheckResult[]): CheckSummary[] {
  const byCommand = new Map<string, Partial<Record<CheckSubject, CheckResult>>>();
  for (const result of results) {
    const entry = byCommand.get(result.command) ?? {};
    entry[result.on] = result;
    byCommand.set(result.command, entry);
  }
  return [...byCommand].map(([command, on]) => ({
    command,
    onBase: on.base,
    onResult: on.result,
    onRestored: on.restored,
    provesNoChange: on.base !== undefined && passed(on.base),
  }));
}

/**
 * The verdict, from the evidence alone: `verified` when every check passed on the result both ways, `partial` when every
 * check passed on the result only, `contradicted` when one fails there, `unchecked` when there were none. A check that was
 * not run on the result counts as failed.
 */
export function verdictOf(results: readonly CheckResult[]): Verdict {
  const checks = summarizeChecks(results);
  if (checks.length === 0) return 'unchecked';
  if (!checks.every((check) => check.onResult && passed(check.onResult))) return 'contradicted';
  return checks.every((check) => check.onRestored && passed(check.onRestored)) ? 'verified' : 'partial';
}

export function describeVerdict(verdict: Verdict): string {
  switch (verdict) {
    case 'verified':
      return 'every check passed, also with the tests and configuration of the base';
    case 'partial':
      return 'every check passed, but only with the tests or configuration that the run itself changed';
    case 'contradicted':
      return 'the agent said done and a check fails';
    case 'unchecked':
      return 'there were no checks';
    default:
      return assertNever(verdict);
  }
}
