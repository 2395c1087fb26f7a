import * as l10n from '@vscode/l10n';
import type { RunState } from '../../core/liveState';
import type { RunSnapshot } from '../../core/runSnapshot';
import { filesWord } from '../tasks/taskRow';

/** A state of a run's files that the user can choose. */
export interface SnapshotChoice {
  /** 0 is the base. */
  readonly index: number;
  readonly label: string;
  readonly description: string;
}

/** What a run's files can be compared with or put back to: the newest first, the base last. */
export function snapshotChoices(run: RunState): SnapshotChoice[] {
  const base = { index: 0, label: snapshotLabel(0), description: (run.baseCommit ?? '').slice(0, 12) };
  return [...run.snapshots.toReversed().map(choiceOf), base];
}

export function snapshotLabel(index: number): string {
  return index === 0 ? l10n.t('Base') : l10n.t('Snapshot {0}', index);
}

function choiceOf(snapshot: RunSnapshot): SnapshotChoice {
  const { index, takenAtMs, filesChanged, verdict, branch } = snapshot;
  const taken = new Date(takenAtMs).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
  const words = [taken, causeWords(snapshot), filesWord(filesChanged), verdict ?? '', branch ?? ''];
  return { index, label: snapshotLabel(index), description: words.filter((word) => word !== '').join(' · ') };
}

function causeWords({ cause }: RunSnapshot): string {
  switch (cause) {
    case 'turn':
      return l10n.t('after a turn');
    case 'verdict':
      return l10n.t('when it was checked');
    case 'restore':
      return l10n.t('before files were put back');
  }
}

/** The commit of a snapshot, or of the base. */
export function snapshotCommit(run: RunState, index: number): string | undefined {
  if (index === 0) return run.baseCommit ?? undefined;
  return run.snapshots.find((snapshot) => snapshot.index === index)?.commit;
}
