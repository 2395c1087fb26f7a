import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, systemCodeOf } from '../base/errors';
import { type EventVersions, knownVersions } from './eventLifting';
import { damageError, JournalDamage } from './journalDamage';
import { newline } from './journalLine';
import { isAnchored, type JournalPosition } from './journalPosition';
import { type OnGroup, type RawLine, SegmentReader } from './segmentReader';
import { listSegments, segmentFile } from './segments';

export interface ReadOptions {
  /** The folder with the segments. */
  readonly folder: string;
  readonly from: JournalPosition;
  readonly onGroup: OnGroup;
  readonly versions?: EventVersions;
}

/** Where reading ended. */
export interface JournalEnd {
  /** Behind the last whole group. */
  readonly position: JournalPosition;
  /** The rest of the last segment is a group that was never finished. */
  readonly torn: boolean;
}

/** Read at once. */
const chunkBytes = 1024 * 1024;

/**
 * Reads the journal from a position on, checking every line and the chain. It changes nothing.
 * @throws {UserError} `journal-corrupt`, `journal-newer`.
 */
export async function readJournal(options: ReadOptions): Promise<JournalEnd> {
  try {
    return await readSegments(options);
  } catch (error) {
    throw error instanceof JournalDamage ? await damageError(error, options.folder) : error;
  }
}

async function readSegments(options: ReadOptions): Promise<JournalEnd> {
  const { folder, from } = options;
  const last = (await listSegments(folder)).at(-1) ?? 0;
  let position = from;
  for (let number = from.segment; number <= Math.max(last, from.segment); number += 1) {
    if (number !== position.segment) position = { ...position, segment: number, offset: 0 };
    const end = await readSegment(options, position);
    if (end.stopped) return { position: end.position, torn: false };
    if (end.tornAt !== undefined && number < last) {
      const file = segmentFile(folder, number);
      throw new JournalDamage(file, end.tornAt, 'its last group is not whole, and a later segment follows');
    }
    position = end.position;
    if (end.tornAt !== undefined) return { position, torn: true };
  }
  return { position, torn: false };
}

async function readSegment(
  options: ReadOptions,
  from: JournalPosition,
): Promise<{ position: JournalPosition; tornAt: number | undefined; stopped: boolean }> {
  const file = segmentFile(options.folder, from.segment);
  const reader = new SegmentReader(file, from, options.versions ?? knownVersions, options.onGroup);
  const handle = await openSegment(file);
  try {
    const source = { read: (position: number, bytes: number) => readAt(handle, position, bytes) };
    if (!(await isAnchored(source, from))) {
      throw new JournalDamage(
        file,
        from.offset,
        `the journal no longer holds what was written up to event ${from.seq}`,
      );
    }
    for await (const lines of linesOf(handle, from.offset)) {
      for (const line of lines) {
        reader.take(line);
        if (reader.stopped) return { position: reader.position, tornAt: undefined, stopped: true };
      }
    }
    const tornAt = reader.end();
    if (reader.position.offset === 0) throw new JournalDamage(file, 0, 'its header is missing');
    return { position: reader.position, tornAt, stopped: false };
  } finally {
    await handle.close();
  }
}

async function openSegment(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    throw new JournalDamage(file, 0, `the segment is missing (${messageOf(error)})`, { cause: error });
  }
}

/** Lines in the order of the file, many at a time. */
async function* linesOf(handle: FileHandle, from: number): AsyncGenerator<RawLine[]> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = from;
  for (;;) {
    const chunk = await readAt(handle, offset + rest.length, chunkBytes);
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    if (chunk.length === 0) {
      if (bytes.length > 0) yield [{ bytes, offset, ended: false }];
      return;
    }
    const lines: RawLine[] = [];
    let start = 0;
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
      lines.push({ bytes: bytes.subarray(start, at), offset: offset + start, ended: true });
      start = at + 1;
    }
    yield lines;
    rest = bytes.subarray(start);
    offset += start;
  }
}

async function readAt(handle: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}
