import * as l10n from '@vscode/l10n';
import type { JailProof, JailReadiness } from '../../core/jail';
import { formatDuration } from '../figures';
import { codeBlock, escapeMarkdown } from '../markdownText';

/** What *Prove the Jail* found, as Markdown: each attempt to get out, what was expected, and what was seen. */
export function jailReport(readiness: JailReadiness, proof: JailProof | null): string {
  const sections = [`# ${l10n.t('Proof of the jail')}`];
  if (readiness.kind === 'unavailable') {
    sections.push(
      `**${l10n.t('No jail can be had here, so nothing runs.')}**`,
      escapeMarkdown(readiness.reason, 1000),
      `## ${l10n.t('What to do')}`,
      codeBlock(readiness.fix),
    );
  } else {
    sections.push(escapeMarkdown(l10n.t('Bubblewrap {0} at {1}', readiness.bwrapVersion, readiness.bwrapPath)));
  }
  if (proof) sections.push(...proofLines(proof));
  return `${sections.join('\n\n')}\n`;
}

/** A proof in words, then as a table. */
export function proofLines(proof: JailProof): string[] {
  const escaped = proof.canaries.filter((canary) => !canary.held);
  const blind = proof.canaries.filter((canary) => !canary.controlSucceeded);
  const words = proof.proven
    ? l10n.t('Proven: {0} attempts to get out, none succeeded, and each can be made outside.', proof.canaries.length)
    : l10n.t('NOT proven: {0} attempts got out, {1} could not be judged. Nothing runs.', escaped.length, blind.length);
  const header = [l10n.t('Attempt'), l10n.t('Expected'), l10n.t('Seen'), l10n.t('Held'), l10n.t('Works outside')];
  const rows = proof.canaries.map(({ attempt, expected, seen, held, controlSucceeded }) => [
    escapeMarkdown(attempt, 200),
    escapeMarkdown(expected, 200),
    escapeMarkdown(seen, 200),
    held ? l10n.t('yes') : l10n.t('NO'),
    controlSucceeded ? l10n.t('yes') : l10n.t('NO'),
  ]);
  const lines = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [`**${words}** (${formatDuration(proof.durationMs)})`, lines.join('\n')];
}
