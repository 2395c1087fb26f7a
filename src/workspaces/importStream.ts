import type { ObjectId } from '../core/ids';
import type { PathBytes } from './pathBytes';
import type { EntryMode } from './treeListing';

/** How a commit differs from the one that it is based on. */
export interface TreeEdit {
  /** Paths that are gone: files, or whole folders. */
  readonly removed: readonly PathBytes[];
  /** Entries whose objects are stored already. */
  readonly entries: readonly { readonly path: PathBytes; readonly mode: EntryMode; readonly objectId: ObjectId }[];
  /** Symbolic links and where they point, as bytes. */
  readonly links: readonly { readonly path: PathBytes; readonly target: string }[];
  /** Files whose content is not stored yet, as bytes. Absent: none. */
  readonly contents?: readonly {
    readonly path: PathBytes;
    readonly mode: '100644' | '100755';
    readonly bytes: string;
  }[];
}

export interface ImportedCommit {
  readonly ref: string;
  readonly parent: ObjectId;
  /** The tree that the edit starts from; `undefined`: the parent's. */
  readonly tree?: ObjectId;
  readonly message: string;
  readonly committedAtMs: number;
  readonly edit?: TreeEdit;
}

/** Who makes the commits: the executor does. What the agent calls itself does not matter. */
export const committer = 'Airlock <airlock@localhost>';

const commitMark = ':1';

/**
 * The input of `git fast-import` that makes one commit and asks for its name and its tree's. It needs no index and no work
 * tree: what the workspace holds cannot reach into it.
 */
export function importStream(commit: ImportedCommit): Buffer {
  const { removed, entries, links, contents = [] } = commit.edit ?? { removed: [], entries: [], links: [] };
  const blobs = [
    ...links.map(({ path, target }) => ({ path, mode: '120000', bytes: target })),
    ...contents.map(({ path, mode, bytes }) => ({ path, mode, bytes })),
  ];
  const parts: string[] = [];
  blobs.forEach(({ bytes }, index) => parts.push(`blob\nmark :${index + 2}\n`, data(bytes)));
  parts.push(
    `commit ${commit.ref}\nmark ${commitMark}\n`,
    `committer ${committer} ${Math.floor(commit.committedAtMs / 1000)} +0000\n`,
    data(Buffer.from(commit.message, 'utf8').toString('latin1')),
    `from ${commit.parent}\n`,
  );
  if (commit.tree) parts.push(`M 040000 ${commit.tree} ""\n`);
  // Removed first: what was a file may be a folder now.
  for (const path of removed) parts.push(`D ${quote(path)}\n`);
  for (const { path, mode, objectId } of entries) parts.push(`M ${mode} ${objectId} ${quote(path)}\n`);
  blobs.forEach(({ path, mode }, index) => parts.push(`M ${mode} :${index + 2} ${quote(path)}\n`));
  parts.push(`\nget-mark ${commitMark}\nls ${commitMark} ""\ndone\n`);
  return Buffer.from(parts.join(''), 'latin1');
}

/** Reads the two answers that {@link importStream} asks for. */
export function parseImportAnswer(output: Uint8Array): { readonly commit: string; readonly tree: string } {
  const match = /^([0-9a-f]+)\n040000 tree ([0-9a-f]+)\t/.exec(Buffer.from(output).toString('latin1'));
  if (!match?.[1] || !match[2]) throw new Error('git fast-import answered something unknown');
  return { commit: match[1], tree: match[2] };
}

function data(bytes: string): string {
  return `data ${bytes.length}\n${bytes}\n`;
}

/** Quoted as in C, every byte that is not plain as octal. */
function quote(path: PathBytes): string {
  const escaped = path.replace(/[^ !#-[\]-~]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `"${escaped}"`;
}
