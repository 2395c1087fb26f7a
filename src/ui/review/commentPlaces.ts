import type { ObjectId } from '../../core/ids';
import type { CommentPlace, ReviewComment } from '../../core/reviewComment';

/** Comments on the same lines: one thread. */
export interface PlacedComments {
  readonly place: CommentPlace;
  readonly comments: readonly ReviewComment[];
}

/** The comments on one result by the lines that they are about, in the order in which they were written. */
export function byPlace(comments: readonly ReviewComment[], commit: ObjectId): Map<string, PlacedComments> {
  const places = new Map<string, PlacedComments>();
  for (const comment of comments) {
    if (comment.commit !== commit) continue;
    const { side, path, startLine, endLine } = comment;
    const key = JSON.stringify([side, path, startLine, endLine]);
    const there = places.get(key);
    places.set(key, { place: { side, path, startLine, endLine }, comments: [...(there?.comments ?? []), comment] });
  }
  return places;
}
