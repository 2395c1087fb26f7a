import * as l10n from '@vscode/l10n';
import type { AnchorReport, JournalReport } from '../../core/journalReport';

export interface JournalWords {
  readonly isWell: boolean;
  readonly message: string;
  readonly detail: string;
}

/** What was found out about the journal, for people. */
export function journalWords({ state, problem, dropped, head, snapshots, anchors }: JournalReport): JournalWords {
  const foreign = snapshots.filter((snapshot) => snapshot.state === 'foreign');
  const damaged = snapshots.filter((snapshot) => snapshot.state === 'damaged');
  const isWell = state !== 'broken' && anchors.state !== 'broken' && foreign.length === 0;
  const lines = [
    ...(problem === null ? [] : [problem]),
    l10n.t('{0} events, the last one included, were found whole.', head.seq - (dropped?.throughSeq ?? 0)),
    ...(dropped
      ? [l10n.t('Events 1 to {0} were dropped when they were old; their hashes are kept.', dropped.throughSeq)]
      : []),
    ...anchorLines(anchors),
    ...foreign.map(({ file }) => l10n.t('{0} is not of this journal: one of the two was replaced or cut.', file)),
    ...damaged.map(({ file }) => l10n.t('{0} is damaged; the next start passes it over.', file)),
  ];
  const message = isWell
    ? l10n.t('The journal is whole: every line is as it was written.')
    : l10n.t('The journal is not as it was written.');
  return { isWell, message, detail: lines.join('\n') };
}

function anchorLines({ state, through, problem, earlier, otherKeys }: AnchorReport): string[] {
  const day = (ms: number): string => new Date(ms).toISOString();
  return [
    ...(problem === null ? [] : [problem]),
    ...(state === 'none' ? [l10n.t('No head of it was anchored with the key that is kept here.')] : []),
    ...(state === 'hold' && through
      ? [
          l10n.t(
            'It was anchored at event {0} on {1}: nothing up to there was changed since.',
            through.seq,
            day(through.atMs),
          ),
        ]
      : []),
    ...earlier.map(({ seq, atMs }) =>
      l10n.t('On {0} event {1}, which had been anchored, was found cut off or rewritten.', day(atMs), seq),
    ),
    ...(otherKeys > 0
      ? [l10n.t('{0} anchors were made with another key, and cannot be checked here.', otherKeys)]
      : []),
  ];
}
