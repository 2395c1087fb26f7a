import { cp, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isUserError, systemCodeOf, UserError } from '../base/errors';
import type { SecretSlot } from '../core/secretSlot';
import { forgetNewest } from './anchorVault';
import { newId } from '../base/ids';
import { diskFull, isDiskFull, makePrivateFolder, syncFolder } from '../base/durableFile';
import { anchorsFile } from './anchorLines';
import { type DroppedSegment, droppedSegmentsOf, writeDropped } from './droppedSegments';
import type { JournalPosition } from './journalPosition';
import { segmentFile } from './segments';
import { listSnapshotPlaces } from './snapshotFiles';
import { verifyJournal } from './verifyJournal';

/**
 * What a backup holds: the journal up to its last whole group, the snapshots, everything that events name, and the embedded
 * server's tasks. Workspaces are not in it (they can be huge): a run that was under way begins anew, and results that were
 * published are in their repositories. The history is in it too: it may know of events that the journal has dropped.
 */
const besideTheJournal = ['blobs', 'zmemory'];
const historyFile = 'history.sqlite';

/**
 * Copies a storage folder to `target`, which must not be there yet. It may be called while an executor works: the copy is the
 * storage as it was at one event. It is on disk, and was read back whole, when this resolves.
 * @returns The last event that is in it.
 * @throws {UserError} `backup-exists`, `no-journal`, `journal-corrupt`, `backup-disturbed`, `disk-full`.
 */
export async function backUp(storage: string, target: string): Promise<number> {
  await refuseExisting(target, 'backup-exists');
  return copyWhole(target, async (folder) => {
    // First: a segment that is dropped after that is missed when it is to be copied, and may not be in this history yet.
    const dropped = await droppedSegmentsOf(path.join(storage, 'journal'));
    // Second: they must not know of more than the journal beside them.
    await copyIfThere(path.join(storage, historyFile), path.join(folder, historyFile));
    await makePrivateFolder(path.join(folder, 'journal'));
    await copyIfThere(anchorsFile(storage), anchorsFile(folder));
    const head = await headOf(storage);
    await copyJournal(path.join(storage, 'journal'), path.join(folder, 'journal'), dropped, head);
    await copySnapshots(path.join(storage, 'snapshots'), path.join(folder, 'snapshots'), head.seq);
    // After the journal: what an event names was there before the event.
    for (const name of besideTheJournal) await copyIfThere(path.join(storage, name), path.join(folder, name));
    return head.seq;
  });
}

/**
 * Makes a storage folder of a backup. The folder must not be there yet, or be empty: nothing is ever overwritten.
 * @param slot Where the key of this storage's anchors is: what was anchored of a storage that stood here before is not missed.
 * @returns The last event that is in it.
 * @throws {UserError} `storage-exists`, `no-journal`, `journal-corrupt`, `journal-newer`, `disk-full`.
 */
export async function restore(backup: string, storage: string, slot?: SecretSlot): Promise<number> {
  await refuseExisting(storage, 'storage-exists');
  const head = await headOf(backup);
  const seq = await copyWhole(storage, async (folder) => {
    for (const name of ['journal', 'snapshots', historyFile, ...besideTheJournal]) {
      await copyIfThere(path.join(backup, name), path.join(folder, name));
    }
    return head.seq;
  });
  if (slot) await forgetNewest(slot);
  return seq;
}

/** @throws {UserError} when the journal is not whole: a copy of it would pass for a good one. */
async function headOf(storage: string): Promise<JournalPosition> {
  const { head, problem, snapshots } = await verifyJournal(storage);
  if (problem !== null) throw new UserError('journal-corrupt', problem, { storage });
  const foreign = snapshots.find(({ state }) => state === 'foreign');
  if (!foreign) return head;
  throw new UserError(
    'journal-corrupt',
    `${foreign.file} is not of this journal: one of the two was replaced or cut. Nothing was copied.`,
    { storage },
  );
}

async function refuseExisting(folder: string, code: 'backup-exists' | 'storage-exists'): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  });
  if (names.length === 0) return;
  throw new UserError(code, `${folder} is not empty. Name a folder that is not there yet; nothing was overwritten.`, {
    folder,
  });
}

/** Fills a folder beside `target` and gives it that name once all of it is on disk and its journal was read back. */
async function copyWhole(target: string, fill: (folder: string) => Promise<number>): Promise<number> {
  const folder = `${target}.${newId('tmp')}`;
  try {
    await makePrivateFolder(folder);
    const seq = await fill(folder);
    await syncTree(folder);
    const { head, problem } = await verifyJournal(folder);
    if (problem !== null || head.seq !== seq) {
      throw new UserError(
        'copy-differs',
        `The copy cannot be read back as it was written: ${problem ?? 'it is short'}.`,
      );
    }
    // An empty folder may be there; it gives way.
    await rename(folder, target);
    await syncFolder(path.dirname(path.resolve(target)));
    return seq;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw !isUserError(error) && isDiskFull(error) ? diskFull(target, error) : error;
  }
}

/**
 * What is written down of dropped segments, and whole segments as they are; the last one up to `head`, for it may be written to
 * meanwhile.
 */
async function copyJournal(
  from: string,
  to: string,
  dropped: readonly DroppedSegment[],
  head: JournalPosition,
): Promise<void> {
  if (dropped.length > 0) await writeDropped(to, dropped);
  for (let segment = dropped.length + 1; segment <= head.segment; segment += 1) {
    const file = segmentFile(to, segment);
    await cp(segmentFile(from, segment), file, { preserveTimestamps: true }).catch((error: unknown) => {
      throw systemCodeOf(error) === 'ENOENT' ? disturbed(error) : error;
    });
    if (segment === head.segment) await cut(file, head.offset);
  }
}

function disturbed(cause: unknown): UserError {
  const what =
    'Old segments of the journal were dropped while it was copied. Nothing was kept of the copy; take it again.';
  return new UserError('backup-disturbed', what, {}, { cause });
}

async function cut(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
}

async function copySnapshots(from: string, to: string, throughSeq: number): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const { file, position } of await listSnapshotPlaces(from)) {
    if (position && position.seq <= throughSeq) await copyIfThere(file, path.join(to, path.basename(file)));
  }
}

/** A file that goes away meanwhile (an older snapshot, a blob that the user deletes) is left out. A copy is as old as the file. */
async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, { recursive: true, preserveTimestamps: true, filter: isFileOrFolder });
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
}

async function isFileOrFolder(file: string): Promise<boolean> {
  try {
    const found = await lstat(file);
    return found.isFile() || found.isDirectory();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(inside);
    else await syncFile(inside);
  }
  await syncFolder(folder);
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
