// The Claude Codes that tests run: the fake, and a real one where `AIRLOCK_TEST_CLAUDE` names it.
import path from 'node:path';

export const fakeClaude = path.join(import.meta.dirname, 'fakeClaude.mjs');

/** The path of an installed Claude Code; undefined when none is named. */
export const realClaude = process.env['AIRLOCK_TEST_CLAUDE'];

export const claudePrograms = [
  ['a fake', fakeClaude],
  ['the real', realClaude],
] as const;

/** Skips, and says so, when there is no such program. */
export function needClaude(test: Mocha.Context, program: string | undefined): void {
  if (program !== undefined) return;
  process.stdout.write('      SKIPPED: AIRLOCK_TEST_CLAUDE names no Claude Code\n');
  test.skip();
}
