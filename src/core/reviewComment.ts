import { z } from 'zod';
import type { Digest, ObjectId } from './ids';

/** Where in a result a comment stands. */
export const commentPlaceSchema = z.object({
  /** Which side of the diff it is about. */
  side: z.enum(['base', 'result']),
  /** In the repository, without a slash at its start. */
  path: z.string().min(1).max(4096),
  /** The lines that it is about, from 1; both of them belong to it. */
  startLine: z.number().int().positive(),
  endLine: z.number().int().positive(),
});
export type CommentPlace = z.infer<typeof commentPlaceSchema>;

/** A comment as the user writes it. */
export const newCommentSchema = commentPlaceSchema.extend({
  /** The comment that is written anew; absent: another one. Its place stays as it was. */
  id: z.string().max(100).optional(),
  text: z.string(),
});
export type NewComment = z.infer<typeof newCommentSchema>;

/** A user's comment on lines of a task's result. What it says and what those lines are, are blobs. */
export interface ReviewComment extends CommentPlace {
  readonly id: string;
  /** The result that it is about. */
  readonly commit: ObjectId;
  readonly text: Digest;
  /** The lines as they stand there; of no bytes when they are not text. */
  readonly quote: Digest;
  readonly writtenAtMs: number;
  /** When the agent was given it; `null` while it is a draft. */
  readonly sentAtMs: number | null;
}

/** A longer one is no comment. */
export const maxCommentBytes = 16 * 1024;
/** Of one task, sent ones included: the oldest sent ones make room. */
export const maxComments = 200;

/** Those that the agent has not been given yet. */
export function draftsOf(task: { readonly comments?: readonly ReviewComment[] }): readonly ReviewComment[] {
  return (task.comments ?? []).filter(({ sentAtMs }) => sentAtMs === null);
}
