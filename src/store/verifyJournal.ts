import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isUserError, systemCodeOf, UserError } from '../base/errors';
import { journalBeginning } from './droppedSegments';
import { type JournalPosition, journalStart } from './journalPosition';
import { readJournal } from './journalReader';
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
  /** Those that are there. */
  readonly segments: number;
  /** What was dropped when it was old; the chain goes on from its last line. `null`: nothing was. */
  readonly dropped: { readonly segments: number; readonly throughSeq: number } | null;
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

type OnPlace = (end: JournalPosition) => void;

/**
 * Reads the whole journal of a storage folder, every line and the chain, and looks whether the snapshots belong to it. It may
 * be called while an executor writes there.
 * @throws {UserError} `no-journal`, `journal-newer`.
 */
export async function verifyJournal(storage: string): Promise<JournalReport> {
  const folder = path.join(storage, 'journal');
  await refuseMissing(folder);
  // First, so that the journal is at least as long as they say while somebody writes both.
  const places = await listSnapshotPlaces(path.join(storage, 'snapshots'));
  const unseen = new Map(places.map(({ position }) => [position?.seq ?? -1, position?.hash]));
  const found = await readThrough(folder, (end) => {
    if (unseen.get(end.seq) === end.hash) unseen.delete(end.seq);
  });
  const snapshots = places.map(({ file, position }): SnapshotReport => {
    if (!position) return { file, state: 'damaged' };
    return { file, state: unseen.has(position.seq) ? 'foreign' : 'fits' };
  });
  return { ...found, snapshots };
}

async function refuseMissing(folder: string): Promise<void> {
  const isThere = await stat(folder).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return undefined;
  });
  if (isThere && (await listSegments(folder)).length > 0) return;
  throw new UserError('no-journal', `There is no journal in ${folder}.`, { folder });
}

async function readThrough(folder: string, onPlace: OnPlace): Promise<Omit<JournalReport, 'snapshots'>> {
  let beginning = journalStart;
  let head = journalStart;
  const found = (state: JournalReport['state'], problem: string | null, segments: number) => {
    const dropped = beginning.seq > 0 ? { segments: beginning.segment - 1, throughSeq: beginning.seq } : null;
    return { state, problem, segments, dropped, head };
  };
  const left = async (): Promise<number> => {
    return (await listSegments(folder)).filter((segment) => segment >= beginning.segment).length;
  };
  try {
    beginning = await journalBeginning(folder);
    head = beginning;
    const onGroup = (_events: unknown, end: JournalPosition): boolean => {
      head = end;
      onPlace(end);
      return true;
    };
    const { torn } = await readJournal({ folder, from: beginning, onGroup });
    return found(torn ? 'unfinished' : 'whole', null, await left());
  } catch (error) {
    if (!isUserError(error) || error.code !== 'journal-corrupt') throw error;
    // An executor that drops old segments meanwhile takes them away under the reader.
    if (await hasMoved(folder, beginning)) return readThrough(folder, onPlace);
    return found('broken', error.message, await left());
  }
}

async function hasMoved(folder: string, beginning: JournalPosition): Promise<boolean> {
  const now = await journalBeginning(folder).catch(() => beginning);
  return now.segment > beginning.segment;
}
