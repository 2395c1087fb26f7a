import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../../../base/errors';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the lock that makes this process the only writer of a folder. The kernel lets go of it when the process dies,
 * however that comes: `flock(1)` locks the open file that it is given, and the lock stays with us who keep it open.
 * @throws {UserError} `zmemory-storage-in-use`, `zmemory-lock-unavailable`.
 */
export async function lockFolder(path: string): Promise<FolderLock> {
  const file = await open(path, 'a', 0o600);
  try {
    const exitCode = await flock(file);
    if (exitCode === 0) return { release: () => file.close() };
    throw new UserError(
      'zmemory-storage-in-use',
      'Another process already serves the tasks in this storage folder. Use that one, or another folder.',
      { path },
    );
  } catch (error) {
    await file.close();
    throw error;
  }
}

function flock(file: FileHandle): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['--nonblock', '--exclusive', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', file.fd],
    });
    child.on('error', (cause) =>
      reject(
        new UserError(
          'zmemory-lock-unavailable',
          'The program flock is missing, and without it two servers could write the same tasks. Install util-linux.',
          {},
          { cause },
        ),
      ),
    );
    child.on('exit', resolve);
  });
}
