import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToolChain, ToolMount } from '../hostFacts';
import { isWithin } from '../../base/pathWithin';
import { mountOf } from './kinds';

/** Each mount costs time in every jail. */
const mostMounts = 32;

/** What version managers are, under whatever name: without the managers' own files they do nothing. */
const managers = ['rustup', 'volta-shim', 'volta'];

/**
 * Compiled programs in a folder of the user's own (`~/.cargo/bin`, `~/go/bin`, `~/.local/bin`). Scripts are left away: people
 * write tokens into their own, and those of others need what lies elsewhere.
 */
export async function binariesIn(folder: string): Promise<ToolChain[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const left = new Set((await Promise.all(managers.map((name) => fileNumber(join(folder, name))))).flat());
  const found = (await Promise.all(names.map((name) => binary(folder, name, left)))).flat();
  if (found.length === 0) return [];
  const isWhole = found.length === names.length && found.every(({ from }) => isWithin(from, folder));
  const mounts = isWhole ? [mountOf(folder)] : found.slice(0, mostMounts);
  return [{ name: 'programs', mounts, covered: [], programs: [folder], environment: {} }];
}

/** Tells a file from all others, whatever it is called; nothing when it is not there. */
function fileNumber(path: string): Promise<string[]> {
  return stat(path).then(
    ({ dev, ino }) => [`${dev} ${ino}`],
    () => [],
  );
}

async function binary(folder: string, name: string, left: ReadonlySet<string>): Promise<ToolMount[]> {
  const at = join(folder, name);
  const [file] = await fileNumber(at);
  if (file === undefined || left.has(file)) return [];
  const from = await realpath(at).catch(() => undefined);
  return from !== undefined && (await isElf(from)) ? [{ from, at }] : [];
}

const elfMagic = Buffer.from('\x7fELF', 'latin1');

async function isElf(path: string): Promise<boolean> {
  try {
    // Without waiting, in case somebody named a pipe like a program.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(elfMagic.length), 0, elfMagic.length, 0);
      return bytesRead === elfMagic.length && buffer.equals(elfMagic);
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
