import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../base/durableFile';
import { systemCodeOf } from '../base/errors';
import { journalPositionSchema } from './journalPosition';

/** A head of the journal that was vouched for with a key which is not in the storage. */
const anchorSchema = z.object({
  head: journalPositionSchema,
  /** Wall time. */
  atMs: z.number(),
  /** An anchored event that was found gone or changed before this was written; `null`: all was as anchored. */
  lostSeq: z.number().int().nullable(),
  /** Which key it was: the beginning of its digest. */
  key: z.string(),
  /** The code of the anchor before it; empty for the first one. */
  before: z.string(),
  /** The HMAC of all of that. */
  mac: z.string(),
});
export type Anchor = z.infer<typeof anchorSchema>;

/** Far more than anybody looks back for: each holds for everything before it. */
const maxAnchors = 400;

export function anchorsFile(storage: string): string {
  return path.join(storage, 'journal', 'anchors.jsonl');
}

/** What stands in the file. */
export interface AnchorLines {
  /** Whatever can be read of it, oldest first. */
  readonly anchors: readonly Anchor[];
  /** How many lines are none: the file is outside of the chain. */
  readonly bad: number;
  /** Each new anchor pushes the oldest one out. */
  readonly isFull: boolean;
}

export async function readAnchors(storage: string): Promise<AnchorLines> {
  const lines = await linesOf(storage);
  const anchors = anchorsIn(lines);
  return { anchors, bad: lines.length - anchors.length, isFull: lines.length >= maxAnchors };
}

/**
 * Puts one behind the others, on disk when it resolves. Lines that are none stay: that somebody changed them is to show.
 * @throws {UserError} `disk-full`.
 */
export async function addAnchor(
  storage: string,
  key: Buffer,
  anchor: Pick<Anchor, 'head' | 'atMs' | 'lostSeq'>,
): Promise<void> {
  const lines = await linesOf(storage);
  const unsigned = { ...anchor, key: keyName(key), before: anchorsIn(lines).at(-1)?.mac ?? '' };
  const all = [...lines, JSON.stringify({ ...unsigned, mac: macOf(unsigned, key) })].slice(-maxAnchors);
  await writeDurably(anchorsFile(storage), all.map((line) => `${line}\n`).join(''));
}

async function linesOf(storage: string): Promise<string[]> {
  const text = await readFile(anchorsFile(storage), 'utf8').catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return '';
  });
  return text.split('\n').filter((line) => line !== '');
}

function anchorsIn(lines: readonly string[]): Anchor[] {
  return lines.flatMap((line) => anchorSchema.safeParse(parseJson(line)).data ?? []);
}

export function isGenuine({ mac, ...unsigned }: Anchor, key: Buffer): boolean {
  const [given, right] = [Buffer.from(mac), Buffer.from(macOf(unsigned, key))];
  return given.length === right.length && timingSafeEqual(given, right);
}

export function keyName(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

function macOf({ head, atMs, lostSeq, key: name, before }: Omit<Anchor, 'mac'>, key: Buffer): string {
  const { segment, offset, hash, seq } = head;
  const text = JSON.stringify(['airlock anchor 1', segment, offset, hash, seq, atMs, lostSeq, name, before]);
  return createHmac('sha256', key).update(text).digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
