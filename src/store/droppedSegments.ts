import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { syncFolder, writeDurably } from '../base/durableFile';
import { systemCodeOf } from '../base/errors';
import { damageError, JournalDamage } from './journalDamage';
import { hashOf, noLineHash, openLine, sealLine } from './journalLine';
import { type JournalPosition, journalStart } from './journalPosition';
import { listSegments, segmentFile } from './segments';

const hashSchema = z.string().length(64);

/** What is kept of a segment that was dropped: enough to check the chain across it, and to know a copy of it again. */
const droppedSegmentSchema = z.object({
  dropped: z.number().int().positive(),
  firstSeq: z.number().int().positive(),
  lastSeq: z.number().int().nonnegative(),
  /** Of the line before the segment, of its first line (the header) and of its last one. */
  before: hashSchema,
  first: hashSchema,
  last: hashSchema,
  bytes: z.number().int().positive(),
  /** Wall time of its last event. */
  lastAtMs: z.number(),
});
export type DroppedSegment = z.infer<typeof droppedSegmentSchema>;

export function droppedSegmentsFile(folder: string): string {
  return path.join(folder, 'dropped.jsonl');
}

/**
 * The manifest of a journal's folder, oldest first; empty when nothing was ever dropped.
 * @throws {JournalDamage} when it is not what was written, or has a gap.
 */
export async function readDropped(folder: string): Promise<readonly DroppedSegment[]> {
  const file = droppedSegmentsFile(folder);
  const bytes = await readFile(file).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return undefined;
  });
  if (!bytes) return [];
  const dropped: DroppedSegment[] = [];
  let prev = noLineHash;
  let offset = 0;
  while (offset < bytes.length) {
    const end = bytes.indexOf(0x0a, offset);
    const line = bytes.subarray(offset, end === -1 ? bytes.length : end);
    const sealed = droppedSegmentSchema.extend({ prev: hashSchema }).safeParse(openLine(line));
    if (end === -1 || !sealed.success) {
      throw new JournalDamage(file, offset, 'this line of the list of dropped segments is not as it was written');
    }
    const { prev: before, ...entry } = sealed.data;
    if (before !== prev || !follows(entry, dropped.at(-1))) {
      throw new JournalDamage(file, offset, `dropped segment ${entry.dropped} does not follow the one before it`);
    }
    dropped.push(entry);
    prev = hashOf(line);
    offset = end + 1;
  }
  return dropped;
}

function follows(entry: DroppedSegment, last: DroppedSegment | undefined): boolean {
  const { segment, seq, hash } = endOf(last);
  return entry.dropped === segment && entry.firstSeq === seq + 1 && entry.lastSeq >= seq && entry.before === hash;
}

/** The place behind a dropped segment: before the header of the next one. */
function endOf(last: DroppedSegment | undefined): JournalPosition {
  if (!last) return journalStart;
  return { segment: last.dropped + 1, offset: 0, hash: last.last, seq: last.lastSeq };
}

/**
 * Where the journal begins: behind what was dropped.
 * @throws {UserError} `journal-corrupt` when the list of dropped segments is damaged, or segments are missing that it does not
 * name.
 */
export function journalBeginning(folder: string): Promise<JournalPosition> {
  return inWords(folder, () => beginningOf(folder));
}

/** As `readDropped`. @throws {UserError} `journal-corrupt` when the list is damaged. */
export function droppedSegmentsOf(folder: string): Promise<readonly DroppedSegment[]> {
  return inWords(folder, () => readDropped(folder));
}

async function inWords<T>(folder: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof JournalDamage ? await damageError(error, folder) : error;
  }
}

async function beginningOf(folder: string): Promise<JournalPosition> {
  const beginning = endOf((await readDropped(folder)).at(-1));
  const left = (await listSegments(folder)).find((segment) => segment >= beginning.segment);
  if (left === undefined || left === beginning.segment) return beginning;
  throw new JournalDamage(
    segmentFile(folder, beginning.segment),
    0,
    `segments ${beginning.segment} to ${left - 1} are missing, and nothing says that they were dropped`,
  );
}

/**
 * Writes down that segments are dropped, and removes them. Killed between the two, they are still there and count for nothing:
 * `finishDropping` removes them.
 * @throws {UserError} `disk-full`: nothing was dropped.
 */
export async function dropSegments(folder: string, more: readonly DroppedSegment[]): Promise<void> {
  await writeDropped(folder, [...(await readDropped(folder)), ...more]);
  await finishDropping(folder);
}

export async function writeDropped(folder: string, dropped: readonly DroppedSegment[]): Promise<void> {
  let prev = noLineHash;
  const lines = dropped.map((entry) => {
    const line = sealLine(entry, prev);
    prev = hashOf(line);
    return `${line}\n`;
  });
  await writeDurably(droppedSegmentsFile(folder), lines.join(''));
}

/** Removes segments that were dropped and are still there. */
export async function finishDropping(folder: string): Promise<void> {
  const { segment: first } = await journalBeginning(folder);
  const left = (await listSegments(folder)).filter((segment) => segment < first);
  for (const segment of left) await rm(segmentFile(folder, segment), { force: true });
  if (left.length > 0) await syncFolder(folder);
}
