import type { SkippedPath } from '../core/workspace';
import type { FolderScan, FoundPath } from './folderScan';
import { foldersAbove, isStorable, printable, type PathBytes } from './pathBytes';
import type { TreeListing } from './treeListing';

/** A regular file that differs from the base, or may. */
export interface PlannedFile {
  readonly path: PathBytes;
  readonly mode: '100644' | '100755';
  readonly sizeBytes: number;
  readonly stamp: string;
  readonly changedAtMs: number;
}

/** How the folder differs from the base, as far as it can be told before the changed files are read. */
export interface SnapshotPlan {
  readonly removed: readonly PathBytes[];
  /** Regular files to be read and stored. */
  readonly files: readonly PlannedFile[];
  readonly links: readonly { readonly path: PathBytes; readonly target: string }[];
  readonly skipped: readonly SkippedPath[];
  /** The size of `files` together. */
  readonly sizeBytes: number;
}

export interface SnapshotRules {
  readonly base: TreeListing;
  /** Stamps of the files as they were checked out. */
  readonly baseline: ReadonlyMap<PathBytes, string>;
  /** Folders that are mounted from elsewhere: what is under them is not the run's. */
  readonly shares: readonly PathBytes[];
  /** A larger file is left out. */
  readonly maxFileBytes: number;
}

/** More than that are counted, not named. */
const maxSkipped = 1000;

/**
 * Decides what of a scanned folder goes into the snapshot. A path that cannot be taken is named in `skipped` and stays as it
 * is in the base: a result never deletes what could not be read. What is not in the base and ignored, or in a share, is not
 * looked at.
 */
export function planSnapshot({ found, ignored }: FolderScan, rules: SnapshotRules): SnapshotPlan {
  const seen = new Set<PathBytes>();
  const kept = new Set<PathBytes>();
  const skipped: SkippedPath[] = [];
  const files: PlannedFile[] = [];
  const links: { path: PathBytes; target: string }[] = [];
  let sizeBytes = 0;

  for (const entry of found) {
    const { path } = entry;
    seen.add(path);
    if (rules.baseline.get(path) === entry.stamp || isOutside(path, ignored, rules)) continue;
    const reason = reasonToSkip(entry, rules);
    if (reason) {
      kept.add(path);
      if (skipped.length < maxSkipped) skipped.push({ path: printable(path), reason });
    } else if (entry.kind === 'link') {
      links.push({ path, target: entry.target });
    } else {
      const { sizeBytes: size, stamp, changedAtMs } = entry;
      files.push({ path, mode: entry.isExecutable ? '100755' : '100644', sizeBytes: size, stamp, changedAtMs });
      sizeBytes += entry.sizeBytes;
    }
  }
  const isKept = (path: PathBytes): boolean => [...foldersAbove(path)].some((folder) => kept.has(folder));
  const removed = [...rules.base]
    .filter(([path, { mode }]) => mode !== '160000' && !seen.has(path) && !isKept(path))
    .map(([path]) => path);
  skipped.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { removed, files, links, skipped, sizeBytes };
}

/** True for what is in no commit and is not meant to be: ignored files, and what lies in a share. */
function isOutside(path: PathBytes, ignored: ReadonlySet<PathBytes>, { base, shares }: SnapshotRules): boolean {
  if (base.has(path)) return false;
  return ignored.has(path) || shares.some((share) => path === share || path.startsWith(`${share}/`));
}

function reasonToSkip(entry: FoundPath, { base, maxFileBytes }: SnapshotRules): SkippedPath['reason'] | undefined {
  if (entry.kind !== 'file' && entry.kind !== 'link') return entry.kind;
  if (!isStorable(entry.path)) return 'invalid-name';
  if (isInSubmodule(entry.path, base)) return 'nested-repository';
  return entry.sizeBytes > maxFileBytes ? 'too-large' : undefined;
}

/** A submodule of the base is an empty folder here, and stays the commit that it points to whatever is put into it. */
function isInSubmodule(path: PathBytes, base: TreeListing): boolean {
  return [path, ...foldersAbove(path)].some((above) => base.get(above)?.mode === '160000');
}
