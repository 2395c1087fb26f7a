import { workspaceInJail } from '../core/jailPolicy';
import type { PathBytes } from './pathBytes';
import { records } from './treeListing';

/** What a scan found at a path, links not followed. Folders that can be read are not listed themselves. */
export interface FoundPath {
  readonly kind: 'file' | 'link' | 'special' | 'unreadable' | 'nested-repository';
  readonly path: PathBytes;
  readonly sizeBytes: number;
  readonly isExecutable: boolean;
  /** Where a link points, as bytes; empty for everything else. */
  readonly target: string;
  /** Changes whenever the file does: type, mode, size, inode, and the times of its content and of its inode. */
  readonly stamp: string;
  /** When it was last changed, its mode and its name included; by the clock of the file system. */
  readonly changedAtMs: number;
}

export interface FolderScan {
  readonly found: readonly FoundPath[];
  /** Paths that the folder's own `.gitignore` files, or the run's `info/exclude`, leave out. */
  readonly ignored: ReadonlySet<PathBytes>;
}

/**
 * Lists the current folder as pairs of NUL-terminated fields: `type mode size inode mtime ctime ./path` and
 * `=target`. `find` walks by descriptors and follows no link. A `.git` below the top is listed as `g` and not entered; the
 * one at the top is not listed; what cannot be read is `u`.
 */
const listing = `find . -mindepth 1 -path ./.git -prune \\
  -o -name .git -prune -printf 'g %m %s %i %T@ %C@ %p\\0=\\0' \\
  -o -type d ! \\( -readable -executable \\) -prune -printf 'u %m %s %i %T@ %C@ %p\\0=\\0' \\
  -o -type d \\
  -o -type f ! -readable -printf 'u %m %s %i %T@ %C@ %p\\0=\\0' \\
  -o -printf '%y %m %s %i %T@ %C@ %p\\0=%l\\0'`;

/**
 * The scan of the workspace, to be run in a git jail. Its text is constant: no path ever becomes part of it.
 *
 * Git would open every `.gitignore` that it comes by, and wait for ever on one that is a FIFO. So the regular ones are
 * copied into a folder of their own and git is asked about the list of paths there: it never sees the workspace itself.
 * When anything vanishes while `find` looks, it fails, and the scan with it: half a list would read as deletions.
 * 1 is git's answer when nothing is ignored.
 */
const script = `set -eu
cd ${workspaceInJail}
test -r .
${listing} > /tmp/found
mkdir /tmp/rules
sed -zn 's/^f [0-7]* [0-9]\\{1,6\\} [0-9]* [0-9.]* [0-9.]* \\(\\.\\/\\(.*\\/\\)\\{0,1\\}\\.gitignore\\)$/\\1/p' /tmp/found > /tmp/gitignores
xargs -0r cp --parents -P -t /tmp/rules -- < /tmp/gitignores 2> /dev/null || true
sed -zn '/^=/!s/^[^/]*\\.\\//.\\//p' /tmp/found > /tmp/paths
cat /tmp/found
printf '\\0'
cd /tmp/rules
GIT_WORK_TREE=/tmp/rules git check-ignore --no-index -z --stdin < /tmp/paths || test $? -eq 1
`;

export const scanCommand: readonly string[] = ['sh', '-c', script, 'scan'];

/** The listing alone, for a folder in which there should be nothing that is ignored. It is read by {@link parseBaseline}. */
export const listCommand: readonly string[] = [
  'sh',
  '-c',
  `set -eu
cd ${workspaceInJail}
test -r .
${listing}
`,
  'list',
];

/**
 * Checks a tree out into the empty workspace, makes the folders that shares are mounted on, and lists what is there.
 * Arguments: the tree, then the folders. `GIT_INDEX_FILE` says where the index goes.
 */
const checkoutScript = `set -eu
cd ${workspaceInJail}
GIT_WORK_TREE="$PWD" git read-tree --reset -u "$1"
shift
if [ $# -gt 0 ]; then mkdir -p -- "$@" || true; fi
${listing}
`;

export function checkoutCommand(tree: string, mountPoints: readonly string[]): readonly string[] {
  return ['sh', '-c', checkoutScript, 'checkout', tree, ...mountPoints.map((path) => `./${path}`)];
}

/** Reads what {@link scanCommand} wrote. */
export function parseScan(output: Uint8Array): FolderScan {
  const fields = records(output);
  const { found, rest } = takeFound(fields);
  // The empty field that ends the list stands between.
  return { found, ignored: new Set(fields.slice(rest + 1).map((path) => path.slice('./'.length))) };
}

/** Reads what {@link checkoutCommand} or {@link listCommand} wrote: the stamp of each path. */
export function parseBaseline(output: Uint8Array): Map<PathBytes, string> {
  return new Map(takeFound(records(output)).found.map(({ path, stamp }) => [path, stamp]));
}

function takeFound(fields: readonly string[]): { found: FoundPath[]; rest: number } {
  const found: FoundPath[] = [];
  let at = 0;
  for (let head = fields[at]; head !== undefined && head !== ''; head = fields[at]) {
    const link = fields[at + 1];
    const match = /^(\S) (\d+) (\d+) \d+ [-\d.]+ ([-\d.]+) \.\//.exec(head);
    if (!match || !link?.startsWith('=')) throw new Error('The scan of the workspace answered something unknown');
    const [start, type = '', mode = '', size = '', changedAt = ''] = match;
    const target = link.slice(1);
    found.push({
      kind: kindOf(type),
      path: head.slice(start.length),
      sizeBytes: Number(size),
      isExecutable: (parseInt(mode, 8) & 0o100) !== 0,
      target,
      stamp: `${start} ${target}`,
      changedAtMs: Number(changedAt) * 1000,
    });
    at += 2;
  }
  return { found, rest: at };
}

function kindOf(type: string): FoundPath['kind'] {
  switch (type) {
    case 'f':
      return 'file';
    case 'l':
      return 'link';
    case 'u':
      return 'unreadable';
    case 'g':
      return 'nested-repository';
    default:
      return 'special';
  }
}
