import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, readdir, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf, UserError } from '../base/errors';
import { newId } from '../base/ids';

/** A text file of a repository as it was read. */
export interface LocalText {
  /** Every character of it, a byte order mark included. */
  readonly text: string;
  /** Changes with every change of the file that anybody makes. */
  readonly stamp: string;
  /** When it was last written, in wall time. */
  readonly writtenAtMs: number;
}

/** Thrown when a file is not what can be read: missing, a link, too large, not text. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
  constructor(
    readonly kind: 'missing' | 'unfit',
    message: string,
  ) {
    super(message);
  }
}

/** How often a read is begun anew because the file was written or replaced meanwhile, be it by Airlock itself. */
const maxReads = 20;

/**
 * Reads a file of a repository as it was at one moment: a regular one, really within `root`, UTF-8, at most `maxBytes`.
 * @throws {UnreadableFileError}
 */
export async function readLocalText(root: string, file: string, maxBytes: number): Promise<LocalText> {
  for (let reads = 0; reads < maxReads; reads += 1) {
    const read = await readUndisturbed(root, file, maxBytes);
    if (read) return read;
  }
  throw new UnreadableFileError('unfit', 'It is being written just now.');
}

/** `undefined` when it was changed while it was read. */
async function readUndisturbed(root: string, file: string, maxBytes: number): Promise<LocalText | undefined> {
  await requireWithin(root, file);
  const handle = await openRegular(file);
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) throw new UnreadableFileError('unfit', 'It is not a regular file.');
    if (before.size > BigInt(maxBytes)) {
      throw new UnreadableFileError('unfit', `It has ${before.size} bytes; at most ${maxBytes} are read.`);
    }
    const bytes = Buffer.alloc(Number(before.size));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    const stamp = stampOf(before);
    if (stampOf(await handle.stat({ bigint: true })) !== stamp || bytesRead !== bytes.length) return undefined;
    return { text: decode(bytes), stamp, writtenAtMs: Number(before.mtimeNs / 1_000_000n) };
  } finally {
    await handle.close();
  }
}

/** The file's stamp, or `null` when there is none to be had. */
export async function stampAt(file: string): Promise<string | null> {
  try {
    return stampOf(await lstat(file, { bigint: true }));
  } catch {
    return null;
  }
}

/**
 * Puts `text` in the file's place as a whole, with its mode and owner, unless it is not any more what was read: then nothing
 * is changed and the answer is `false`.
 * @throws {UserError} `file-read-only` when the file or its folder cannot be written.
 */
export async function replaceLocalText(file: string, text: string, read: LocalText): Promise<boolean> {
  const temporary = path.join(path.dirname(file), `${temporaryPrefix(file)}${newId('w')}`);
  try {
    const was = await lstat(file, { bigint: true });
    await writeLike(temporary, text, was);
    // As late as can be: what a person has saved meanwhile is never overwritten.
    if (!was.isFile() || (await stampAt(file)) !== read.stamp) return false;
    await rename(temporary, file);
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT') return false;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new UserError('file-read-only', `${file} cannot be written (${code}).`, { file }, { cause: error });
    }
    throw error;
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** Removes what a process that died left beside the file. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = path.dirname(file);
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => name.startsWith(temporaryPrefix(file)));
  await Promise.all(left.map((name) => rm(path.join(folder, name), { force: true }).catch(() => {})));
}

/** Where text is written before it takes the file's place. */
function temporaryPrefix(file: string): string {
  return `.${path.basename(file)}.airlock-`;
}

async function writeLike(temporary: string, text: string, like: BigIntStats): Promise<void> {
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    // Root works for others too: the file stays theirs.
    const own = await handle.stat({ bigint: true });
    if (own.uid !== like.uid || own.gid !== like.gid) await handle.chown(Number(like.uid), Number(like.gid));
    await handle.chmod(Number(like.mode & 0o7777n));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws {UnreadableFileError} when the folder of a file is not really within `root`, or is not there. */
export async function requireWithin(root: string, file: string): Promise<void> {
  try {
    const [realRoot, realFolder] = await Promise.all([realpath(root), realpath(path.dirname(file))]);
    if (realFolder !== realRoot && !realFolder.startsWith(realRoot + path.sep)) {
      throw new UnreadableFileError('unfit', 'It lies outside its repository, behind a symbolic link.');
    }
  } catch (error) {
    throw unreadable(error);
  }
}

async function openRegular(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): unknown {
  const code = systemCodeOf(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new UnreadableFileError('missing', 'It is not there.');
    case 'ELOOP':
      return new UnreadableFileError('unfit', 'It is a symbolic link; those are not followed.');
    case 'EACCES':
    case 'EPERM':
    case 'ENXIO':
      return new UnreadableFileError('unfit', `It cannot be read (${code}).`);
    default:
      return error;
  }
}

function decode(bytes: Uint8Array): string {
  if (bytes.includes(0)) throw new UnreadableFileError('unfit', 'It is not text: it has a zero byte in it.');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UnreadableFileError('unfit', 'It is not UTF-8 text. Save it as UTF-8.');
  }
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
