import { z } from 'zod';
import { objectIdSchema, type ObjectId } from './ids';

/** What a path was on one side of a merge; `null` when it was not there. */
const sideSchema = z
  .object({ mode: z.enum(['100644', '100755', '120000', '160000']), objectId: objectIdSchema })
  .nullable();

/**
 * A path that a result and its branch have both changed in ways that git cannot join. Where no side says anything, git has made
 * the name up, and only somebody with the whole repository at hand can join it.
 */
export const conflictedPathSchema = z.object({
  path: z.string().min(1),
  base: sideSchema,
  target: sideSchema,
  result: sideSchema,
});
export type ConflictedPath = z.infer<typeof conflictedPathSchema>;
export type ConflictSide = 'base' | 'target' | 'result';

/** More paths than that are not kept with a conflict: who has so many does not join them one by one. */
export const maxConflictedPaths = 200;

/** What all resolved files of one landing may have together. As base64 it fits into one request. */
export const maxResolvedBytes = 8 * 1024 * 1024;

/** A conflict as the last landing found it. */
export interface Conflict {
  /** Where the branch was: what is resolved holds for that commit alone. */
  readonly target: ObjectId;
  readonly paths: readonly ConflictedPath[];
}

/** What can be done about one path in conflict. */
export interface ConflictFile {
  readonly path: string;
  /** `merge`: text on both sides. `choose`: one side or the other, such as an image, or a file that one has deleted. `agent`: neither. */
  readonly how: 'merge' | 'choose' | 'agent';
  readonly isInTarget: boolean;
  readonly isInResult: boolean;
}

export interface ConflictReport {
  /** `refs/heads/…` */
  readonly ref: string;
  readonly target: ObjectId;
  readonly files: readonly ConflictFile[];
}

export const conflictReportSchema: z.ZodType<ConflictReport> = z.object({
  ref: z.string(),
  target: objectIdSchema,
  files: z.array(
    z.object({
      path: z.string(),
      how: z.enum(['merge', 'choose', 'agent']),
      isInTarget: z.boolean(),
      isInResult: z.boolean(),
    }),
  ),
});

/** What the user has made of a conflict. */
export const resolutionSchema = z.object({
  target: objectIdSchema,
  /** Every path in conflict, once. */
  files: z
    .array(
      z.union([
        z.object({ path: z.string(), content: z.base64().max(Math.ceil(maxResolvedBytes / 3) * 4) }),
        z.object({ path: z.string(), take: z.enum(['target', 'result']) }),
      ]),
    )
    .min(1)
    .max(maxConflictedPaths),
});
export type Resolution = z.infer<typeof resolutionSchema>;

/** A path of a tree as the user wants it: with this content, as an object that is there already, or not at all. */
export type ResolvedPath =
  | { readonly path: string; readonly mode: '100644' | '100755'; readonly content: Uint8Array }
  | { readonly path: string; readonly entry: ConflictedPath['target'] };

/** Whether a text has an end of what git writes round two versions that it could not join. */
export function hasConflictMarkers(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return /^(?:<{7}|>{7})(?: |\r?$)/m.test(text);
}
