import { accessSync, constants } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Folders for tests, removed by `removeFolders`. */
const made: string[] = [];

/** In memory where that can be had: thousands of `fsync`s cost nothing there, and what they do is not to be seen from here. */
function parentFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return os.tmpdir();
  }
}

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(parentFolder(), 'airlock-store-'));
  made.push(folder);
  return folder;
}

export async function removeFolders(): Promise<void> {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
}

/** Every file below a folder, with its bytes: to show that nothing was changed. */
export async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const read = files.sort().map(async (file) => [path.relative(folder, file), await readFile(file, 'base64')] as const);
  return Object.fromEntries(await Promise.all(read));
}

/** Files have the time of the machine, and events that of a test's clock: this gives a file the time of its events. */
export function writtenAt(file: string, atMs: number): Promise<void> {
  return utimes(file, atMs / 1000, atMs / 1000);
}
