import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock';
import { systemCodeOf, UserError } from '../base/errors';
import type { AirlockEvent } from '../core/events';
import { diskFull, isDiskFull, makePrivateFolder, syncFolder } from '../base/durableFile';
import { journalBeginning } from './droppedSegments';
import type { EventVersions } from './eventLifting';
import { openJournalFile, type OpenJournalFile } from './journalFile';
import type { JournalPosition } from './journalPosition';
import { readJournal } from './journalReader';
import { JournalWriter } from './journalWriter';
import { createSegment, listSegments, segmentFile } from './segments';
import type { WriteFailures } from './writeFailures';

export interface OpenJournalOptions {
  /** The folder with the segments; it is made when it is missing. */
  readonly folder: string;
  readonly clock: Clock;
  /** Events after this are replayed. Absent: all of them, and it is an error when some were dropped. */
  readonly from?: JournalPosition;
  /** Called with every group that was there already, in order. */
  readonly onReplay: (events: readonly AirlockEvent[], end: JournalPosition) => void;
  /** Called with the events of each append once they are durable and before the append resolves, in order. Never throws. */
  readonly onDurable: (events: readonly AirlockEvent[]) => void;
  /** As in `JournalWriterOptions`. */
  readonly failures?: WriteFailures;
  /** As in `JournalWriterOptions`. */
  readonly maxSegmentBytes?: number;
  /** What tests put in place of the real things. */
  readonly openFile?: OpenJournalFile;
  readonly versions?: EventVersions;
}

export interface OpenedJournal {
  readonly journal: JournalWriter;
  /** What the user is to be told about what was found. */
  readonly notes: readonly string[];
}

/**
 * Opens the journal for its one writer: replays what is there, puts a group that was never finished aside, and goes on
 * behind the last whole one. The caller owns the storage (`acquireOwnership`).
 * @throws {UserError} `journal-corrupt`, `journal-newer`: then nothing was changed. `disk-full`.
 */
export async function openJournal(options: OpenJournalOptions): Promise<OpenedJournal> {
  const { folder, clock, versions, onReplay, onDurable, openFile = openJournalFile } = options;
  await makePrivateFolder(folder);
  const beginning = await journalBeginning(folder);
  const from = options.from ?? beginning;
  if (beginning.seq > 0 && from.seq <= beginning.seq) throw nothingToBeginWith(folder, beginning.seq);
  if (from.offset === 0 && (await listSegments(folder)).length === 0) await createSegment(folder, from.segment, from);
  const end = await readJournal({
    folder,
    from,
    versions,
    onGroup: (events, position) => {
      onReplay(events, position);
      return true;
    },
  });
  const file = segmentFile(folder, end.position.segment);
  const notes = end.torn ? [await putTailAside(file, end.position, clock)] : [];
  const { failures, maxSegmentBytes } = options;
  const { position } = end;
  const writing = { folder, position, clock, openFile, onDurable, failures, maxSegmentBytes };
  const journal = await JournalWriter.open(writing);
  return { journal, notes };
}

/** Without the state up to there, what follows cannot be understood. */
function nothingToBeginWith(folder: string, seq: number): UserError {
  return new UserError(
    'journal-corrupt',
    `No snapshot is whole, and the events up to ${seq}, without which nothing can be said of what followed, were dropped from ` +
      `${folder} when they were old. Nothing was changed and nothing was started. Put the storage back from a backup, or move ` +
      'it away to begin with an empty queue; results that were published are safe as branches of their repositories.',
    { folder, seq },
  );
}

/**
 * Moves what follows the last whole group into a file beside the segment.
 * @returns What was done, in words for the user.
 */
async function putTailAside(file: string, position: JournalPosition, clock: Clock): Promise<string> {
  const handle = await open(file, 'r+');
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(size - position.offset);
    await handle.read(tail, 0, tail.length, position.offset);
    const aside = await keepAside(`${file.replace(/\.jsonl$/, '')}.torn-${timestamp(clock.nowMs())}`, tail);
    await handle.truncate(position.offset);
    await handle.sync();
    return (
      `The journal ended in the middle of a write, as after a crash: the last ${tail.length} bytes, which nobody had ` +
      `been promised, were moved to ${aside}. Everything up to event ${position.seq} is there.`
    );
  } finally {
    await handle.close();
  }
}

/** Writes a file that is not there yet; a number makes its name new. */
async function keepAside(name: string, bytes: Uint8Array): Promise<string> {
  for (let number = 0; ; number += 1) {
    const file = number === 0 ? name : `${name}-${number}`;
    try {
      const handle = await open(file, 'wx', 0o600);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await syncFolder(path.dirname(file));
      return file;
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') continue;
      // What is half there would pass for what was kept.
      await rm(file, { force: true });
      throw isDiskFull(error) ? diskFull(file, error) : error;
    }
  }
}

/** `20260105T120000Z`: sorts by time and is safe in a file name. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}
