import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isUserError, systemCodeOf, UserError } from '../base/errors';
import { readJournal } from './journalReader';
import { type JournalPosition, journalStart } from './journalPosition';
import { listSegments } from './segments';
import { listSnapshotPlaces } from './snapshotFiles';

/** What was found out about a journal, without changing anything. */
export interface JournalReport {
  /**
   * `whole`: every line is as it was written and follows the one before it. `unfinished`: so it is, and behind it stands the
   * beginning of a write that was never answered, as after a crash or while somebody writes. `broken`: see `problem`.
   */
  readonly state: 'whole' | 'unfinished' | 'broken';
  /** Where the chain breaks and what to do; `null` unless it is broken. */
  readonly problem: string | null;
  readonly segments: number;
  /** Up to here everything is whole. */
  readonly head: JournalPosition;
  readonly snapshots: readonly SnapshotReport[];
}

export interface SnapshotReport {
  readonly file: string;
  /**
   * `fits`: it is whole, and was made at a place that the journal has. `damaged`: it would be passed over at a start.
   * `foreign`: it is whole, and the journal has no such place: one of the two was replaced.
   */
  readonly state: 'fits' | 'damaged' | 'foreign';
}

/**
 * Reads the whole journal of a storage folder, every line and the chain, and looks whether the snapshots belong to it. It may
 * be called while an executor writes there.
 * @throws {UserError} `no-journal`, `journal-newer`.
 */
export async function verifyJournal(storage: string): Promise<JournalReport> {
  const folder = path.join(storage, 'journal');
  const segments = await segmentsOf(folder);
  // First, so that the journal is at least as long as they say while somebody writes both.
  const places = await listSnapshotPlaces(path.join(storage, 'snapshots'));
  const unseen = new Map(places.map(({ position }) => [position?.seq ?? -1, position?.hash]));
  let head = journalStart;
  const onGroup = (_events: unknown, end: JournalPosition): boolean => {
    head = end;
    if (unseen.get(end.seq) === end.hash) unseen.delete(end.seq);
    return true;
  };
  const { state, problem } = await readThrough(folder, onGroup);
  const snapshots = places.map(({ file, position }): SnapshotReport => {
    if (!position) return { file, state: 'damaged' };
    return { file, state: unseen.has(position.seq) ? 'foreign' : 'fits' };
  });
  return { state, problem, segments: segments.length, head, snapshots };
}

async function segmentsOf(folder: string): Promise<number[]> {
  const isThere = await stat(folder).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return undefined;
  });
  const segments = isThere ? await listSegments(folder) : [];
  if (segments.length === 0) throw new UserError('no-journal', `There is no journal in ${folder}.`, { folder });
  return segments;
}

async function readThrough(
  folder: string,
  onGroup: (events: unknown, end: JournalPosition) => boolean,
): Promise<Pick<JournalReport, 'state' | 'problem'>> {
  try {
    const { torn } = await readJournal({ folder, from: journalStart, onGroup });
    return { state: torn ? 'unfinished' : 'whole', problem: null };
  } catch (error) {
    if (!isUserError(error) || error.code !== 'journal-corrupt') throw error;
    return { state: 'broken', problem: error.message };
  }
}
