import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sha256 } from '../base/digest';
import { systemCodeOf, UserError } from '../base/errors';

/** The longest path that a Unix socket can be bound to: `sun_path` has 108 bytes, the last of them zero. */
export const maxSocketPathBytes = 107;

/**
 * Where the owner of a storage folder serves its socket: a hash of the folder's real path, in the user's runtime folder or
 * else in `/tmp/airlock-<uid>`, which only the user can enter. The folder is there when this resolves.
 * @throws {UserError} `runtime-folder-unsafe` when somebody else has made that folder, or can write to it.
 */
export async function socketPathFor(
  storage: string,
  environment: NodeJS.ProcessEnv = process.env,
  temporaryFolder = '/tmp',
): Promise<string> {
  const name = `${sha256(await realpath(storage)).slice(0, 32)}.sock`;
  const runtime = environment['XDG_RUNTIME_DIR'];
  if (runtime && path.isAbsolute(runtime) && (await isOurs(runtime))) {
    const file = path.join(runtime, 'airlock', name);
    if (Buffer.byteLength(file) <= maxSocketPathBytes) return path.join(await privateFolder(path.dirname(file)), name);
  }
  return path.join(await privateFolder(path.join(temporaryFolder, `airlock-${userId()}`)), name);
}

function userId(): number {
  return process.getuid?.() ?? os.userInfo().uid;
}

/** After `su` or `sudo` the variable may still name the runtime folder of the user before. */
async function isOurs(folder: string): Promise<boolean> {
  try {
    const found = await stat(folder);
    return found.isDirectory() && found.uid === userId();
  } catch {
    return false;
  }
}

async function privateFolder(folder: string): Promise<string> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== userId() || (found.mode & 0o077) !== 0) {
    throw new UserError(
      'runtime-folder-unsafe',
      `${folder} must be a folder that only you can enter, and it is not. Look who made it, remove it, and start again.`,
      { folder, uid: found.uid, mode: (found.mode & 0o7777).toString(8) },
    );
  }
  return folder;
}
