import * as l10n from '@vscode/l10n';
import { type ClaimStanding, claimsSchema, standingOf } from '../../core/claims';
import type { Digest } from '../../core/ids';
import type { RunState, TaskState } from '../../core/liveState';
import { oneLine } from '../markdownText';
import { heading, quoted } from './reportText';

type ReadText = (digest: Digest) => Promise<string>;

/** What the agent says of its result, each with what the evidence says of that. */
export async function claimsSection(run: RunState, readText: ReadText): Promise<string[]> {
  if (run.claims === undefined) return [];
  const parsed = claimsSchema.safeParse(parsedJson(await readText(run.claims)));
  if (!parsed.success) return [];
  const { summary, claims } = parsed.data;
  const lines = claims.map((claim) => {
    const check = claim.check === null ? '' : ` (${oneLine(claim.check, 200)})`;
    return `${standingWord(standingOf(claim, run.checks))}: ${oneLine(claim.statement, 500)}${check}`;
  });
  return [
    heading(l10n.t('What the agent says of its result')),
    l10n.t('Its own words, and what the evidence above says of them. Nothing follows from them.'),
    ...(lines.length > 0 ? [lines.join('\n')] : []),
    quoted(summary),
  ];
}

/** What the user had to say of it. */
export async function commentsSection({ comments = [] }: TaskState, readText: ReadText): Promise<string[]> {
  if (comments.length === 0) return [];
  const sections = [heading(l10n.t('Your comments'))];
  for (const { path, side, startLine, endLine, text, quote, sentAtMs } of comments) {
    const lines = startLine === endLine ? String(startLine) : `${startLine}–${endLine}`;
    const which = side === 'base' ? l10n.t('as it was before') : '';
    const state = sentAtMs === null ? l10n.t('not sent yet') : l10n.t('sent');
    const head = [`${oneLine(path, 300)}:${lines}`, which, state].filter((part) => part !== '').join(', ');
    const code = await readText(quote);
    sections.push(head, ...(code === '' ? [] : [quoted(code)]), quoted(await readText(text)));
  }
  return sections;
}

function standingWord(standing: ClaimStanding): string {
  switch (standing) {
    case 'confirmed':
      return l10n.t('CONFIRMED');
    case 'contradicted':
      return l10n.t('CONTRADICTED');
    case 'unproven':
      return l10n.t('NOT PROVEN');
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
