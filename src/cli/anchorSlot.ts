import { mkdir, open, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256 } from '../base/digest';
import { writeDurably } from '../base/durableFile';
import { systemCodeOf, UserError } from '../base/errors';
import type { SecretSlot } from '../core/secretSlot';
import { configFolder } from './places';

/**
 * Where the key is with which the journal of a storage folder is anchored: a file of mode 0600 in the user's configuration, outside of
 * the storage. A storage in the temporary folder comes and goes, and is not anchored: `undefined`.
 */
export async function anchorSlotOf(storage: string): Promise<SecretSlot | undefined> {
  const real = await realPathTo(path.resolve(storage));
  const temporary = await realpath(tmpdir());
  if (real === temporary || real.startsWith(temporary + path.sep)) return undefined;
  return fileSlot(path.join(configFolder(), 'anchors', `${sha256(real).slice(0, 16)}.json`));
}

/** By its first run already a storage has the path that it will have: only its own folders are missing then, and no links. */
async function realPathTo(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    const above = path.dirname(file);
    if (above === file) throw error;
    return path.join(await realPathTo(above), path.basename(file));
  }
}

export function fileSlot(file: string): SecretSlot {
  return {
    async read() {
      try {
        const handle = await open(file, 'r');
        try {
          const { mode } = await handle.stat();
          if ((mode & 0o077) !== 0) throw tooOpen(file);
          return await handle.readFile('utf8');
        } finally {
          await handle.close();
        }
      } catch (error) {
        if (systemCodeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(text) {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeDurably(file, text);
    },
  };
}

function tooOpen(file: string): UserError {
  return new UserError(
    'key-not-private',
    `Others can read the key in ${file}, so nothing is anchored with it. If nobody had it, run: chmod 600 '${file}'`,
    { file },
  );
}
