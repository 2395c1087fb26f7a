import * as l10n from '@vscode/l10n';
import type { JailProof, JailReadiness } from '../../core/jail';
import { formatDuration } from '../figures';
import { heading, quoted, report, table, title } from './reportText';

/** What *Prove the Jail* found: each attempt to get out, what was expected, and what was seen. */
export function jailReport(readiness: JailReadiness, proof: JailProof | null): string {
  return report([
    title(l10n.t('Proof of the jail')),
    ...(readiness.kind === 'ready'
      ? [l10n.t('Bubblewrap {0} at {1}', readiness.bwrapVersion, readiness.bwrapPath)]
      : [
          l10n.t('No jail can be had here, so nothing runs.'),
          quoted(readiness.reason),
          heading(l10n.t('What to do')),
          quoted(readiness.fix),
        ]),
    ...(proof ? proofLines(proof) : []),
  ]);
}

/** A proof in words, then as a table. */
export function proofLines(proof: JailProof): string[] {
  const escaped = proof.canaries.filter((canary) => !canary.held);
  const blind = proof.canaries.filter((canary) => !canary.controlSucceeded);
  const words = proof.proven
    ? l10n.t('PROVEN: {0} attempts to get out, and none got out. Each of them works outside.', proof.canaries.length)
    : l10n.t('NOT PROVEN: {0} attempts got out, {1} could not be judged. Nothing runs.', escaped.length, blind.length);
  const header = [l10n.t('Attempt'), l10n.t('Expected'), l10n.t('Seen'), l10n.t('Held'), l10n.t('Works outside')];
  const rows = proof.canaries.map(({ attempt, expected, seen, held, controlSucceeded }) => [
    attempt,
    expected,
    seen,
    held ? l10n.t('yes') : l10n.t('NO'),
    controlSucceeded ? l10n.t('yes') : l10n.t('NO'),
  ]);
  return [`${words} (${formatDuration(proof.durationMs)})`, table([header, ...rows])];
}
