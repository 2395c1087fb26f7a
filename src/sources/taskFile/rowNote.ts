import type { ReportBody } from '../../core/source';
import { isCompletion, type TaskOutcome } from '../../core/task';
import { cellText } from './cellEdit';
import type { RowStatus } from './taskTable';

/** Ours stands in brackets; whatever stands before and behind them belongs to people. */
const ownNote = /\s*\[Airlock: (\w+)(?:\\.|[^\]\\])*\]/;

/** The status that a row gets when its task has ended. Only a person says that something is done. */
export function statusAfter(outcome: TaskOutcome): RowStatus {
  return isCompletion(outcome) ? 'Review' : 'Blocked';
}

/** The notes without what we wrote there. */
export function notesOfPeople(notes: string): string {
  return notes.replace(ownNote, '').trim();
}

/** The notes with this report in them, in place of an earlier one. */
export function notesWith(notes: string, body: ReportBody): string {
  const note = ` ${noteOf(body)}`;
  return (ownNote.test(notes) ? notes.replace(ownNote, () => note) : notes + note).trim();
}

/** The status that our note in these notes goes with; `null` without one. */
export function statusOfNote(notes: string): RowStatus | null {
  const word = ownNote.exec(notes)?.[1];
  if (word === undefined) return null;
  return word === 'verified' || word === 'partial' || word === 'unchecked' ? 'Review' : 'Blocked';
}

function noteOf({ outcome, error, branch, commit, pullRequest }: ReportBody): string {
  const where = branch === null ? '' : `, branch ${cellText(branch)}`;
  const which = commit === null ? '' : ` (${commit.slice(0, 10)})`;
  const page = pullRequest === undefined ? '' : `, ${cellText(pullRequest)}`;
  const why = isCompletion(outcome) || error === '' || error === outcome ? '' : `, ${cellText(error)}`;
  return `[Airlock: ${outcome}${where}${which}${page}${why}]`;
}
