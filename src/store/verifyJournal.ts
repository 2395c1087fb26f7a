import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isUserError, systemCodeOf, UserError } from '../base/errors';
import type { JournalReport, SnapshotReport } from '../core/journalReport';
import type { SecretSlot } from '../core/secretSlot';
import { anchorsToCheck } from './anchorReport';
import { journalBeginning } from './droppedSegments';
import { type JournalPosition, journalStart } from './journalPosition';
import { readJournal } from './journalReader';
import { listSegments } from './segments';
import { listSnapshotPlaces } from './snapshotFiles';

type OnPlace = (end: JournalPosition) => void;

/** What was read, and where it began and ended. */
interface Chain {
  readonly report: Omit<JournalReport, 'snapshots' | 'anchors'>;
  readonly beginning: JournalPosition;
  readonly head: JournalPosition;
}

/**
 * Reads the whole journal of a storage folder, every line and the chain, and looks whether the snapshots and the anchored heads belong
 * to it. It may be called while an executor writes there.
 * @param slot Where the key of the anchors is; without it they are not checked.
 * @throws {UserError} `no-journal`, `journal-newer`.
 */
export async function verifyJournal(storage: string, slot?: SecretSlot): Promise<JournalReport> {
  const folder = path.join(storage, 'journal');
  await refuseMissing(folder);
  // First, so that the journal is at least as long as they say while somebody writes all of them.
  const anchors = await anchorsToCheck(storage, slot);
  const places = await listSnapshotPlaces(path.join(storage, 'snapshots'));
  const seen = new Map<number, string>();
  const wanted = new Set([...anchors.wanted, ...places.map(({ position }) => position?.seq ?? -1)]);
  const { report, beginning, head } = await readThrough(folder, (end) => {
    if (wanted.has(end.seq)) seen.set(end.seq, end.hash);
  });
  const snapshots = places.map(({ file, position }): SnapshotReport => {
    if (!position) return { file, state: 'damaged' };
    return { file, state: seen.get(position.seq) === position.hash ? 'fits' : 'foreign' };
  });
  return { ...report, snapshots, anchors: anchors.judge({ hashes: seen, beginning, head, state: report.state }) };
}

async function refuseMissing(folder: string): Promise<void> {
  const isThere = await stat(folder).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return undefined;
  });
  if (isThere && (await listSegments(folder)).length > 0) return;
  throw new UserError('no-journal', `There is no journal in ${folder}.`, { folder });
}

async function readThrough(folder: string, onPlace: OnPlace): Promise<Chain> {
  let beginning = journalStart;
  let head = journalStart;
  const found = async (state: JournalReport['state'], problem: string | null): Promise<Chain> => {
    const segments = (await listSegments(folder)).filter((segment) => segment >= beginning.segment).length;
    const dropped = beginning.seq > 0 ? { segments: beginning.segment - 1, throughSeq: beginning.seq } : null;
    return { report: { state, problem, segments, dropped, head }, beginning, head };
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
    return await found(torn ? 'unfinished' : 'whole', null);
  } catch (error) {
    if (!isUserError(error) || error.code !== 'journal-corrupt') throw error;
    // An executor that drops old segments meanwhile takes them away under the reader.
    if (await hasMoved(folder, beginning)) return readThrough(folder, onPlace);
    return found('broken', error.message);
  }
}

async function hasMoved(folder: string, beginning: JournalPosition): Promise<boolean> {
  const now = await journalBeginning(folder).catch(() => beginning);
  return now.segment > beginning.segment;
}
