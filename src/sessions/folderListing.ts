import { helperScript, type ShellChannel } from './shellChannel';
import { shellQuote } from './shellQuote';

/** Each file's path with what changes whenever the file does: the time of its last change, and its inode. */
export type FolderListing = ReadonlyMap<string, string>;

/** A listing of some 150,000 files; of more nobody could read the difference in time. */
const maxListingBytes = 16 * 1024 * 1024;
const timeoutMs = 5_000;

/** Lists the files below `folder`, in the jail, without git's own; `null` when there are too many. */
export async function listFolder(channel: ShellChannel, folder: string): Promise<FolderListing | null> {
  const script = `find ${shellQuote(folder)} -name .git -prune -o '(' -type f -o -type l ')' -printf '%C@ %i %P\\0' 2>/dev/null </dev/null`;
  const result = await channel.run({ script: helperScript(script), timeoutMs, maxOutputBytes: maxListingBytes });
  if (result.kind !== 'exited' || result.droppedBytes > 0) return null;
  const listing = new Map<string, string>();
  for (const entry of Buffer.from(result.stdout).toString('utf8').split('\0')) {
    const [, stamp, path] = /^(\S+ \S+) ([^]*)$/.exec(entry) ?? [];
    if (stamp !== undefined && path !== undefined) listing.set(path, stamp);
  }
  return listing;
}

/** Paths that are in one of the two alone, or are another file by now; sorted. */
export function changedPaths(before: FolderListing, after: FolderListing): string[] {
  const changed = [...after].filter(([path, stamp]) => before.get(path) !== stamp).map(([path]) => path);
  const deleted = [...before.keys()].filter((path) => !after.has(path));
  return [...changed, ...deleted].sort();
}
