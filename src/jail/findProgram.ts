import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The first program of that name on `searchPath`, with every link resolved.
 * @returns `undefined` when there is none.
 */
export async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(':').filter((entry) => entry.startsWith('/'))) {
    const path = await programIn(folder, name);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The real path of a program of that name in `folder`, or `undefined`. */
export async function programIn(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  try {
    await access(path, constants.X_OK);
    return await realpath(path);
  } catch {
    return undefined;
  }
}
