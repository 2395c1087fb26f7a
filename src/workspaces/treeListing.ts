import { objectIdSchema, type ObjectId } from '../core/ids';
import type { PathBytes } from './pathBytes';

export type EntryMode = '100644' | '100755' | '120000' | '160000';

/** One leaf of a tree: a file, a link or a submodule. */
export interface TreeEntry {
  readonly mode: EntryMode;
  readonly objectId: ObjectId;
}

/** Every leaf of a tree by its path. */
export type TreeListing = ReadonlyMap<PathBytes, TreeEntry>;

/**
 * Reads what `git ls-tree -z` wrote; folders are left out.
 * @throws {Error} when it is not in that format.
 */
export function parseTreeListing(output: Uint8Array): TreeListing {
  const listing = new Map<PathBytes, TreeEntry>();
  for (const line of records(output)) {
    const match = /^(\d{6}) (\w+) ([0-9a-f]+)\t/.exec(line);
    if (!match?.[1] || !match[3]) throw new Error('git ls-tree answered something unknown');
    if (match[2] === 'tree') continue;
    listing.set(line.slice(match[0].length), { mode: modeOf(match[1]), objectId: objectIdSchema.parse(match[3]) });
  }
  return listing;
}

/** Old histories know modes such as 100664; git itself treats them as 100644. */
export function modeOf(mode: string): EntryMode {
  if (mode === '120000' || mode === '160000') return mode;
  return (parseInt(mode, 8) & 0o100) !== 0 ? '100755' : '100644';
}

/** NUL-terminated records, one character a byte. */
export function records(output: Uint8Array): string[] {
  const all = Buffer.from(output.buffer, output.byteOffset, output.byteLength).toString('latin1').split('\0');
  if (all.at(-1) === '') all.pop();
  return all;
}
