import { constants } from 'node:fs';
import { access, chmod, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type Clock, sleep, systemClock } from '../base/clock';
import { systemCodeOf, UserError } from '../base/errors';
import { newId } from '../base/ids';
import { type ProcessIdentity, processIdentitySchema } from '../core/session';
import { releaseReserve } from './diskReserve';
import { isUnwritable, makePrivateFolder, writeDurably } from '../base/durableFile';
import { type FileLock, tryLock } from './fileLock';
import { socketPathFor } from './socketPath';
import { checkFilesystem } from './storageFilesystem';

/** What the owner of a storage folder says of itself, beside the lock. */
export const ownerInfoSchema = z.object({
  process: processIdentitySchema,
  /** Where it serves, or soon will. */
  socketPath: z.string(),
});
export type OwnerInfo = z.infer<typeof ownerInfoSchema>;

export type Ownership =
  /** The storage is ours until `release`, or until this process ends. */
  | { readonly kind: 'owner'; readonly info: OwnerInfo; release(): Promise<void> }
  /** Another process owns it. `null` when that one has not said who it is within the patience of this call. */
  | { readonly kind: 'taken'; readonly owner: OwnerInfo | null };

export interface OwnershipOptions {
  /** The storage folder; it is made, mode 0700, when it is missing. */
  readonly storage: string;
  /** This process. */
  readonly process: ProcessIdentity;
  readonly clock?: Clock;
}

/** How long an owner may take from the lock to its word about itself; both are a few milliseconds apart. */
const patienceMs = 2000;
const retryMs = 10;

/**
 * Tries to become the one owner of a storage folder. Of all processes that try, one gets it; it is free again as soon as
 * that one is dead.
 * @throws {UserError} `lock-unavailable`, `storage-not-ours`, `storage-filesystem`, `runtime-folder-unsafe`, `disk-full`.
 */
export async function acquireOwnership(options: OwnershipOptions): Promise<Ownership> {
  const { storage, clock = systemClock } = options;
  await prepareStorage(storage);
  const infoFile = path.join(storage, 'owner.json');
  const info: OwnerInfo = { process: options.process, socketPath: await socketPathFor(storage) };
  const untilMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    const lock = await tryLock(path.join(storage, 'owner.lock')).catch((error: unknown) => {
      throw unwritable(storage, error);
    });
    if (lock) {
      try {
        await writeOwner(storage, infoFile, info);
      } catch (error) {
        lock.release();
        throw unwritable(storage, error);
      }
      return { kind: 'owner', info, release: once(() => release(infoFile, lock)) };
    }
    const owner = await readOwner(infoFile);
    if (owner || clock.monotonicMs() >= untilMs) return { kind: 'taken', owner };
    await sleep(clock, retryMs);
  }
}

/** On a full disk too there is an owner: it says that it is full, and goes on when there is room. */
async function writeOwner(storage: string, infoFile: string, info: OwnerInfo): Promise<void> {
  const write = (): Promise<void> => writeDurably(infoFile, JSON.stringify(info), `${infoFile}.${newId('tmp')}`);
  try {
    await write();
  } catch (error) {
    const isFull = error instanceof UserError && error.code === 'disk-full';
    if (!isFull || !(await releaseReserve(storage))) throw error;
    await write();
  }
}

/** Who owns a storage folder, as it says of itself; `null` when nobody does. Nothing is made or locked. */
export function findOwner(storage: string): Promise<OwnerInfo | null> {
  return readOwner(path.join(storage, 'owner.json'));
}

/** Takes the word back while the lock is still held, so that it is never another owner's word that goes. */
async function release(infoFile: string, lock: FileLock): Promise<void> {
  try {
    await rm(infoFile, { force: true });
  } catch (error) {
    // What stays there is the word of one who does not answer: the next owner writes its own over it.
    if (!isUnwritable(error)) throw error;
  } finally {
    lock.release();
  }
}

/** @returns `null` when there is no word, or only that of an owner that is dead. */
async function readOwner(infoFile: string): Promise<OwnerInfo | null> {
  try {
    const info = ownerInfoSchema.parse(JSON.parse(await readFile(infoFile, 'utf8')));
    return isRunning(info.process.pid) ? info : null;
  } catch {
    return null;
  }
}

/** A pid that was given to somebody else since does no harm: nobody answers at the socket, and the caller tries again. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

async function prepareStorage(storage: string): Promise<void> {
  try {
    await makePrivateFolder(storage);
    await access(storage, constants.W_OK);
  } catch (error) {
    throw unwritable(storage, error);
  }
  const { uid, mode } = await stat(storage);
  if (process.getuid && uid !== process.getuid()) {
    throw new UserError(
      'storage-not-ours',
      `The storage folder ${storage} belongs to another user. Name a folder of your own.`,
      { storage, uid },
    );
  }
  if ((mode & 0o077) !== 0) await chmod(storage, 0o700);
  await checkFilesystem(storage);
}

function unwritable(storage: string, error: unknown): unknown {
  if (!isUnwritable(error)) return error;
  const code = systemCodeOf(error);
  return new UserError(
    'storage-unwritable',
    `The storage folder ${storage} cannot be written to (${code}). Let it take writes again, or name one of your own, with --storage or by VS Code's settings.`,
    { storage, code },
    { cause: error },
  );
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
