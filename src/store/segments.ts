import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { encodeHeader, hashOf } from './journalLine';
import { writeDurably } from '../base/durableFile';
import type { JournalPosition } from './journalPosition';

/** Where segment `number` is: `000001.jsonl`, … */
export function segmentFile(folder: string, number: number): string {
  return path.join(folder, `${String(number).padStart(6, '0')}.jsonl`);
}

/** The numbers of the segments that are there, ascending. Other files are none of the journal's. */
export async function listSegments(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => /^\d{6,}\.jsonl$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

/**
 * Makes the segment that follows `last`, with its header, and makes it durable with its folder: a segment is there with a
 * whole header or not at all.
 * @returns The place behind the header. @throws {UserError} `disk-full`: nothing was made.
 */
export async function createSegment(folder: string, number: number, last: JournalPosition): Promise<JournalPosition> {
  const header = encodeHeader({ segment: number, firstSeq: last.seq + 1, prev: last.hash });
  await writeDurably(segmentFile(folder, number), `${header}\n`);
  return { segment: number, offset: Buffer.byteLength(header) + 1, hash: hashOf(header), seq: last.seq };
}
