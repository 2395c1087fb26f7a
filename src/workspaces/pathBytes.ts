/**
 * A path as git and the kernel know it: bytes. It is held as a string with one character per byte (latin1), so that it can be
 * compared, sorted and used as a key whatever its encoding is.
 */
export type PathBytes = string;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The path as text; `undefined` when its bytes are not UTF-8. */
export function textOf(path: PathBytes): string | undefined {
  try {
    return utf8.decode(Buffer.from(path, 'latin1'));
  } catch {
    return undefined;
  }
}

export function bytesOf(text: string): PathBytes {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The path for people: control characters, and bytes that are not UTF-8, are escaped as `\xNN`. */
export function printable(path: PathBytes): string {
  const text = textOf(path) ?? path.replace(/[\x80-\xff]/g, escapeByte);
  return text.replace(/\p{Cc}/gu, escapeByte);
}

function escapeByte(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Every folder above `path`, the nearest first: `a/b/c` gives `a/b`, `a`. */
export function* foldersAbove(path: PathBytes): Generator<PathBytes> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) yield path.slice(0, end);
}

/** True for a path that stays where it starts: relative, without empty parts, `.`, `..` and NUL. */
export function isPlainPath(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((part) => !['', '.', '..'].includes(part));
}

/** The longest path that is taken: Linux takes 4,096 bytes, and the workspace's own folder stands before it. */
const maxPathLength = 3072;

/** Characters that HFS+ ignores in a name, so that `.g<U+200C>it` is `.git` on a Mac. The list is git's own (`utf8.c`). */
const ignoredByHfs = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** `.git` as Windows may be told it: its short name, trailing dots and blanks, alternate streams. After git's `is_ntfs_dotgit`. */
const dotGitOnNtfs = /^(?:\.git|git~1)[. ]*(?:$|[\\:])/i;

/**
 * True when `path` may stand in a tree that other people check out: UTF-8, not too long, and no part of it that some file
 * system takes for `.git`. A newline is allowed: git allows it, and everything here is separated by NUL.
 */
export function isStorable(path: PathBytes): boolean {
  if (path.length > maxPathLength) return false;
  const text = textOf(path);
  if (text === undefined) return false;
  if (!isPlainPath(text)) return false;
  return text.split('/').every((part) => {
    return !dotGitOnNtfs.test(part) && part.replace(ignoredByHfs, '').toLowerCase() !== '.git';
  });
}
