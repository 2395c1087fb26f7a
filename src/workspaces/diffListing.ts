import { objectIdSchema, type ObjectId } from '../core/ids';
import type { FileChange } from '../core/workspace';
import { printable, textOf, type PathBytes } from './pathBytes';
import { modeOf, records, type EntryMode } from './treeListing';

/** What `git diff-tree` is asked so that its answer can be read here: recursive, NUL-separated, nothing of the user's executed. */
export const diffTreeArguments = ['-r', '-z', '--raw', '--no-ext-diff', '--no-textconv', '--no-abbrev'] as const;

/** With renames and counts of lines, for {@link parseChanges}. Above 1,000 files on a side git looks for exact renames alone. */
export const changesArguments = [...diffTreeArguments, '--numstat', '-M', '-l1000'] as const;

/** For people and `git apply`: binary files are in it, and nothing of the user's is executed. */
export const patchArguments = [
  '-r',
  '-p',
  '--binary',
  '--full-index',
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '-M',
  '-l1000',
];

/** One path that differs between two trees. */
export interface RawChange {
  readonly path: PathBytes;
  readonly oldPath: PathBytes | null;
  readonly status: string;
  /** As it is in the first tree; `undefined` when it is not there. */
  readonly before: { readonly mode: EntryMode; readonly objectId: ObjectId } | undefined;
}

interface LineCounts {
  readonly insertions: number | null;
  readonly deletions: number | null;
}

/**
 * Reads what `git diff-tree` wrote with {@link changesArguments}: first every raw line, then every count.
 * @throws {Error} when it is not in that format.
 */
export function parseChanges(output: Uint8Array): FileChange[] {
  const fields = records(output);
  const { changes, rest } = takeRaw(fields);
  const counts = takeCounts(fields.slice(rest));
  return changes.map((change) => ({
    path: textOf(change.path) ?? printable(change.path),
    oldPath: change.oldPath === null ? null : (textOf(change.oldPath) ?? printable(change.oldPath)),
    kind: kindOf(change.status),
    ...(counts.get(change.path) ?? { insertions: null, deletions: null }),
  }));
}

/** Reads what `git diff-tree` wrote with {@link diffTreeArguments} alone. */
export function parseRawChanges(output: Uint8Array): RawChange[] {
  return takeRaw(records(output)).changes;
}

function takeRaw(fields: readonly string[]): { changes: RawChange[]; rest: number } {
  const changes: RawChange[] = [];
  let at = 0;
  for (let header = fields[at]; header?.startsWith(':'); header = fields[at]) {
    const match = /^:(\d{6}) \d{6} ([0-9a-f]+) [0-9a-f]+ ([A-Z])\d*$/.exec(header);
    const first = fields[at + 1];
    if (!match?.[1] || !match[2] || !match[3] || first === undefined) throw unknownFormat();
    const isRename = match[3] === 'R' || match[3] === 'C';
    const second = isRename ? fields[at + 2] : undefined;
    if (isRename && second === undefined) throw unknownFormat();
    changes.push({
      path: second ?? first,
      oldPath: isRename ? first : null,
      status: match[3],
      before: match[1] === '000000' ? undefined : { mode: modeOf(match[1]), objectId: objectIdSchema.parse(match[2]) },
    });
    at += isRename ? 3 : 2;
  }
  return { changes, rest: at };
}

/** `added TAB deleted TAB path`, or for a rename an empty path and then the old and the new one as fields of their own. */
function takeCounts(fields: readonly string[]): Map<PathBytes, LineCounts> {
  const counts = new Map<PathBytes, LineCounts>();
  for (let at = 0; at < fields.length; at += 1) {
    const match = /^(\d+|-)\t(\d+|-)\t/.exec(fields[at] ?? '');
    if (!match) throw unknownFormat();
    let path = fields[at]?.slice(match[0].length);
    if (path === '') {
      path = fields[at + 2];
      at += 2;
    }
    if (path === undefined) throw unknownFormat();
    counts.set(path, { insertions: countOf(match[1]), deletions: countOf(match[2]) });
  }
  return counts;
}

function countOf(text: string | undefined): number | null {
  return text === undefined || text === '-' ? null : Number(text);
}

function kindOf(status: string): FileChange['kind'] {
  switch (status) {
    case 'A':
    case 'C':
      return 'added';
    case 'D':
      return 'deleted';
    case 'R':
      return 'renamed';
    case 'T':
      return 'typeChanged';
    default:
      return 'modified';
  }
}

function unknownFormat(): Error {
  return new Error('git diff-tree answered something unknown');
}
