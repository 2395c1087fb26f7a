import { z } from 'zod';
import { hashOf, newline, noLineHash } from './journalLine';
import type { JournalFile } from './journalFile';

/** A place in the journal just behind a commit line, or behind a header when the segment has no commit yet. */
export const journalPositionSchema = z.object({
  /** The number of the segment, from 1. */
  segment: z.number().int().positive(),
  /** Bytes from the start of the segment. */
  offset: z.number().int().nonnegative(),
  /** The SHA-256 of the line that ends there. */
  hash: z.string().length(64),
  /** The last event before it; 0 when there is none. */
  seq: z.number().int().nonnegative(),
});
export type JournalPosition = z.infer<typeof journalPositionSchema>;

/** Before the header of the first segment. */
export const journalStart: JournalPosition = { segment: 1, offset: 0, hash: noLineHash, seq: 0 };

/** Headers and commit lines are shorter than this: their fields are all bounded. */
const maxAnchorBytes = 512;

/** True when the line that ends at `position` is still the one that stood there. */
export async function isAnchored(file: Pick<JournalFile, 'read'>, position: JournalPosition): Promise<boolean> {
  if (position.offset === 0) return true;
  const start = Math.max(0, position.offset - maxAnchorBytes);
  const bytes = await file.read(start, position.offset - start);
  if (bytes.length !== position.offset - start || bytes.at(-1) !== newline) return false;
  const line = bytes.subarray(bytes.lastIndexOf(newline, -2) + 1, -1);
  return hashOf(line) === position.hash;
}
