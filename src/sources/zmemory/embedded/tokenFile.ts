import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf, UserError } from '../../../base/errors';

/** The name of the file in the server's storage folder that only its user can read. */
export const tokenFileName = 'token';

/** The token of the server that keeps its tasks in `folder`: the one of its earlier starts, or a new one. */
export async function tokenIn(folder: string): Promise<string> {
  const file = path.join(folder, tokenFileName);
  const existing = await readToken(file);
  if (existing !== undefined) return existing;
  const token = randomBytes(32).toString('base64url');
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${token}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return token;
}

/** @throws {UserError} `zmemory-token-exposed` when others can read it. */
async function readToken(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const { mode } = await handle.stat();
      if ((mode & 0o077) !== 0) {
        throw new UserError(
          'zmemory-token-exposed',
          'Others can read the token of the embedded ZMemory server. Delete the file, and a new one is made.',
          { file },
        );
      }
    } finally {
      await handle.close();
    }
    const token = (await readFile(file, 'utf8')).trim();
    // A crash may have left an empty file.
    return token === '' ? undefined : token;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
