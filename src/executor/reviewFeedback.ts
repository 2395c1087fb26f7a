import { makeVisible } from '../base/visible';
import type { ReviewComment } from '../core/reviewComment';

/** A comment with the texts that its blobs hold. */
export interface ToldComment extends Pick<ReviewComment, 'side' | 'path' | 'startLine' | 'endLine'> {
  readonly words: string;
  /** The lines that it is about; empty when they are not text. */
  readonly lines: string;
  /** It is about a result that was replaced meanwhile. */
  readonly isOld: boolean;
}

/** What the agent is told when the user sends its result back. */
export function reviewFeedback(text: string, comments: readonly ToldComment[]): string {
  const parts = [
    'The user has looked at your result and sends it back. Do what they ask for and keep the rest of your work as it is. When you end your turn, Airlock runs the checks on your result again.',
  ];
  if (text.trim() !== '') parts.push(`The user says:\n${text.trim()}`);
  comments.forEach((comment, at) => parts.push(commentWords(comment, at + 1, comments.length)));
  return parts.join('\n\n');
}

/** What the agent is told when its result and what the branch has become change the same places. */
export function conflictFeedback(branch: string, files: readonly string[]): string {
  const names = files.map((path) => `- ${JSON.stringify(makeVisible(path))}`).join('\n');
  return [
    `Your result could not be put onto the branch ${JSON.stringify(branch)}: meanwhile it has changed at the same places. /workspace is now that branch as it is, with your result laid over it. These files have both versions in them, between the markers <<<<<<< and >>>>>>> (or, where one side deleted or renamed the file, one version alone):\n${names}`,
    'Join them so that both what the branch has become and what your task asks for hold, and leave no marker behind. Read other files anew before you edit them. When you end your turn, Airlock runs the checks on the two together.',
  ].join('\n\n');
}

function commentWords({ side, path, startLine, endLine, words, lines, isOld }: ToldComment, at: number, of: number) {
  const number = of === 1 ? 'A comment' : `Comment ${at} of ${of}`;
  const where = startLine === endLine ? `line ${startLine}` : `lines ${startLine} to ${endLine}`;
  const which =
    side === 'base' ? 'as it was before your change' : isOld ? 'of an earlier result of yours' : 'of your result';
  const head = `${number} on ${JSON.stringify(makeVisible(path))}, ${where}, ${which}:`;
  return [head, ...(lines === '' ? [] : [fenced(lines)]), words.trim()].join('\n');
}

/** Code as it is, in a fence that nothing in it can end. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text.replace(/\n$/, '')}\n${fence}`;
}
