import { open, stat } from 'node:fs/promises';
import type { Clock } from '../base/clock';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import { type DroppedSegment, dropSegments, finishDropping, journalBeginning } from './droppedSegments';
import { hashOf, newline } from './journalLine';
import type { JournalPosition } from './journalPosition';
import { readJournal } from './journalReader';
import { listSegments, segmentFile } from './segments';
import { listSnapshotPlaces } from './snapshotFiles';

/** How long segments are kept. */
export interface SegmentLimits {
  /** From the wall time of a segment's last event; `null`: for ever. */
  readonly keepMs: number | null;
  /** The oldest go before their time when all of them are larger than this; `null`: never. */
  readonly maxBytes: number | null;
}

/** A quarter of a year, and room for about five million events. */
export const defaultSegmentLimits: SegmentLimits = { keepMs: 90 * 24 * 3_600_000, maxBytes: 2 * 1024 ** 3 };

export interface SegmentRetentionOptions {
  /** The folder with the segments, and that with the snapshots. */
  readonly journal: string;
  readonly snapshots: string;
  readonly limits: SegmentLimits;
  /** Makes the facts up to this event part of the database on disk: what is dropped is nowhere else. */
  readonly takeIn: (throughSeq: number) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Headers are shorter than this. */
const maxHeaderBytes = 512;

/**
 * Drops old segments that nothing needs any more: both generations of snapshots are made behind them, and the database has what
 * they say.
 */
export class SegmentRetention {
  private running: Promise<void> | undefined;
  private readonly seen = new Map<number, DroppedSegment>();

  constructor(private readonly options: SegmentRetentionOptions) {}

  /** Looks in the background. A segment that stays takes room and does no other harm, so a failure goes to the log. */
  consider(): void {
    this.running ??= this.drop()
      .then((count) => count > 0 && this.options.logger.info('Old segments of the journal were dropped', { count }))
      .catch((error: unknown) =>
        this.options.logger.warn('Old segments of the journal could not be dropped', { reason: messageOf(error) }),
      )
      .then(() => (this.running = undefined));
  }

  /** What runs is at its end when this resolves. */
  async finish(): Promise<void> {
    await this.running;
  }

  /** @returns How many were dropped. */
  async drop(): Promise<number> {
    const { journal, snapshots, takeIn } = this.options;
    // What an earlier process was killed over.
    await finishDropping(journal);
    const old = await this.oldSegments();
    if (old.length === 0) return 0;
    const through = await coveredSegment(snapshots);
    const going = old.filter(({ dropped }) => dropped <= through);
    const last = going.at(-1);
    if (!last) return 0;
    await takeIn(last.lastSeq);
    await dropSegments(journal, going);
    return going.length;
  }

  /** Those that are too old or too much, oldest first; never the one that is written to. */
  private async oldSegments(): Promise<DroppedSegment[]> {
    const { journal, limits, clock } = this.options;
    let before = await journalBeginning(journal);
    const there = (await listSegments(journal)).filter((segment) => segment >= before.segment);
    const files = await Promise.all(there.map(async (segment) => ({ segment, ...(await fileOf(journal, segment)) })));
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    const keptFromMs = limits.keepMs === null ? -Infinity : clock.nowMs() - limits.keepMs;
    const old: DroppedSegment[] = [];
    for (const { segment, size, writtenAtMs } of files.slice(0, -1)) {
      const tooMuch = limits.maxBytes !== null && bytes > limits.maxBytes;
      // A file that was written to since has no last event from before: to know that, it need not be read at each start.
      if (!tooMuch && writtenAtMs >= keptFromMs) break;
      const found = this.seen.get(segment) ?? (await readThrough(journal, before));
      this.seen.set(segment, found);
      if (!tooMuch && found.lastAtMs >= keptFromMs) break;
      old.push(found);
      bytes -= size;
      before = { segment: segment + 1, offset: 0, hash: found.last, seq: found.lastSeq };
    }
    return old;
  }
}

/** The last segment that no start needs: it ends before both generations. 0 when there is none. */
async function coveredSegment(snapshots: string): Promise<number> {
  const places = await listSnapshotPlaces(snapshots);
  const good = places.flatMap(({ position }) => (position ? [position.segment] : []));
  return good.length < 2 ? 0 : Math.min(...good) - 1;
}

async function fileOf(
  journal: string,
  segment: number,
): Promise<{ readonly size: number; readonly writtenAtMs: number }> {
  const { size, mtimeMs } = await stat(segmentFile(journal, segment));
  return { size, writtenAtMs: mtimeMs };
}

/** Reads the segment that begins at `from` whole, so that nothing damaged is ever written down as good. */
async function readThrough(journal: string, from: JournalPosition): Promise<DroppedSegment> {
  let end = from;
  let lastAtMs = 0;
  await readJournal({
    folder: journal,
    from,
    onGroup: (events, position) => {
      if (position.segment > from.segment) return false;
      end = position;
      lastAtMs = events.at(-1)?.atMs ?? lastAtMs;
      return true;
    },
  });
  if (end === from) throw new Error(`Segment ${from.segment} holds no event`);
  return {
    dropped: from.segment,
    firstSeq: from.seq + 1,
    lastSeq: end.seq,
    before: from.hash,
    first: await firstLineHash(segmentFile(journal, from.segment)),
    last: end.hash,
    bytes: end.offset,
    lastAtMs,
  };
}

async function firstLineHash(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0);
    return hashOf(buffer.subarray(0, buffer.subarray(0, bytesRead).indexOf(newline)));
  } finally {
    await handle.close();
  }
}
