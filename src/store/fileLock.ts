import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { systemCodeOf, UserError } from '../base/errors';

/** A lock that the kernel lets go of when this process ends, however it ends. */
export interface FileLock {
  release(): void;
}

/**
 * Takes the exclusive `flock` of a file, without waiting. A child (`flock -n`) locks the open file description that this
 * process shares with it and keeps; the lock lives as long as the description does. Node opens with `O_CLOEXEC`, so no
 * other child keeps it alive.
 * @returns `undefined` when another process holds it.
 * @throws {UserError} `lock-unavailable` when there is no `flock` program, or the file system does not keep such locks.
 */
export async function tryLock(file: string): Promise<FileLock | undefined> {
  // A bare descriptor: a `FileHandle` that nobody refers to is closed by the garbage collector, and the lock with it.
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    if ((await lockDescription(descriptor, file)) && isStillThere(descriptor, file)) {
      assertHeld(descriptor, file);
      return { release: () => closeSync(descriptor) };
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return undefined;
}

/** @returns False when another process holds the lock. */
function lockDescription(descriptor: number, file: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
    child.once('error', (error) => {
      const missing = systemCodeOf(error) === 'ENOENT';
      reject(unavailable(file, missing ? 'there is no `flock` program (package util-linux)' : error.message, error));
    });
    child.once('exit', (code, signal) => {
      if (code === 0 || code === 1) resolve(code === 0);
      else reject(unavailable(file, `\`flock\` ended with ${signal ?? code}`));
    });
  });
}

/** The kernel lists the locks of a description there; a network file system may have bound it to the child instead. */
function assertHeld(descriptor: number, file: string): void {
  const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
  if (!/^lock:.*\bFLOCK\b.*\bWRITE\b/m.test(info)) throw unavailable(file, 'its file system does not keep the lock');
}

/** A file that was deleted and made anew has another lock. */
function isStillThere(descriptor: number, file: string): boolean {
  const held = fstatSync(descriptor);
  const there = statSync(file, { throwIfNoEntry: false });
  return there !== undefined && held.ino === there.ino && held.dev === there.dev;
}

function unavailable(file: string, what: string, cause?: unknown): UserError {
  return new UserError(
    'lock-unavailable',
    `${file} cannot be locked: ${what}. Airlock needs the lock so that two of it never work on the same storage; install ` +
      'util-linux, or choose a storage folder on a local disk.',
    { file },
    { cause },
  );
}
