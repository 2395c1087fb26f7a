import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf, UserError } from './errors';

/** Makes a folder, and those above it, that only its owner can enter. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** Makes what was created, renamed or removed in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a small folder survive a power cut with all that is in it. Links are not followed. */
export async function syncTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const found = path.join(folder, entry.name);
      if (entry.isDirectory()) return syncTree(found);
      if (entry.isFile()) return syncFile(found);
    }),
  );
  await syncFolder(folder);
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file as a whole, mode 0600: whoever looks sees the old one or the new one, after a power cut too. It is on disk
 * when this resolves.
 * @param temporary Where it is written first: a path that nobody else uses, in the same file system.
 * @throws {UserError} `disk-full`: what was there before is still there.
 */
export async function writeDurably(file: string, bytes: Uint8Array | string, temporary = `${file}.tmp`): Promise<void> {
  try {
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw isDiskFull(error) ? diskFull(file, error) : error;
  }
}

export function isDiskFull(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What the system says of a storage that takes nothing more: it was remounted, unplugged, or its device fails. */
const unwritableCodes: ReadonlySet<string> = new Set([
  'EROFS',
  'EIO',
  'ENXIO',
  'ENODEV',
  'ENOTCONN',
  'ESTALE',
  'EACCES',
  'EPERM',
]);

export function isUnwritable(error: unknown): boolean {
  return unwritableCodes.has(systemCodeOf(error) ?? '');
}

export function diskFull(file: string, cause: unknown): UserError {
  return new UserError(
    'disk-full',
    `There is no room left on the disk to write ${file}. Everything that was there is kept; free some space and go on.`,
    { file },
    { cause },
  );
}
