import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { sha256 } from '../base/digest';

/**
 * The lines of a segment, each one JSON object and a newline:
 * - a *header*, the first line: which segment this is and which event it begins with;
 * - *events*: `seq`, `atMs`, `v`, `kind` and what the kind holds;
 * - a *commit*, which closes each group: without it the events before it do not count.
 *
 * Every line ends with `"prev"`, the SHA-256 of the line before it (of the segment before it, in a header), and `"sum"`,
 * the CRC-32 of all bytes of the line that stand before it. Lines are never rewritten.
 */
export type JournalLine =
  | { readonly kind: 'header'; readonly segment: number; readonly firstSeq: number; readonly prev: string }
  | { readonly kind: 'event'; readonly data: EventData; readonly prev: string }
  | { readonly kind: 'commit'; readonly seq: number; readonly events: number; readonly prev: string };

/** The outline that every event has, in every version, and whatever else stands in the line. */
export type EventData = z.infer<typeof outlineSchema> & Readonly<Record<string, unknown>>;

/** The version of this format. A journal of a newer one is refused. */
export const journalFormat = 1;

/** What stands for "the line before" in the first header of all. */
export const noLineHash = '0'.repeat(64);

export const newline = 0x0a;

const hashSchema = z.string().length(64);

const headerSchema = z.object({
  airlock: z.literal('journal'),
  format: z.number().int().positive(),
  segment: z.number().int().positive(),
  firstSeq: z.number().int().positive(),
  prev: hashSchema,
});

const commitSchema = z.object({
  commit: z.number().int().positive(),
  events: z.number().int().positive(),
  prev: hashSchema,
});

const outlineSchema = z.object({
  seq: z.number().int().positive(),
  atMs: z.number(),
  v: z.number().int().positive(),
  kind: z.string(),
});

const chainedEventSchema = outlineSchema.extend({ prev: hashSchema });

/** `,"sum":"01234567"}`: every line ends with so many bytes that the checksum does not cover. */
const sumBytes = 18;

/** Thrown when a segment was written in a format that this version does not know. */
export class NewerFormatError extends Error {
  override readonly name = 'NewerFormatError';
  constructor(readonly format: number) {
    super(`The journal's format is ${format}; this version knows up to ${journalFormat}`);
  }
}

export function encodeHeader(header: { segment: number; firstSeq: number; prev: string }): string {
  const { segment, firstSeq, prev } = header;
  return sealLine({ airlock: 'journal', format: journalFormat, segment, firstSeq }, prev);
}

export function encodeEvent(data: EventData, prev: string): string {
  return sealLine(data, prev);
}

export function encodeCommit(seq: number, events: number, prev: string): string {
  return sealLine({ commit: seq, events }, prev);
}

/** A line's name in the chain. The newline does not belong to it. */
export function hashOf(line: string | Uint8Array): string {
  return sha256(line);
}

/** Puts what every line ends with behind its data. @returns The line without its newline. */
export function sealLine(data: object, prev: string): string {
  const body = `${JSON.stringify(data).slice(0, -1)},"prev":"${prev}"`;
  return `${body},"sum":"${sumOf(body)}"}`;
}

/**
 * Reads a line, without its newline.
 * @returns `undefined` when it is not whole: its checksum does not match, or it is no line of a journal.
 * @throws {NewerFormatError} for a header of a newer format.
 */
export function decodeLine(line: Buffer): JournalLine | undefined {
  const json = openLine(line);
  if (!json) return undefined;
  if ('seq' in json) return decodeEvent(json);
  return 'commit' in json ? decodeCommit(json) : decodeHeader(json);
}

/** The data of a line that `sealLine` made; `undefined` when its checksum does not match. */
export function openLine(line: Buffer): object | undefined {
  const end = line.length - sumBytes;
  if (end <= 0 || line.toString('latin1', end) !== `,"sum":"${sumOf(line.subarray(0, end))}"}`) return undefined;
  const json = parseJson(`${line.toString('utf8', 0, end)}}`);
  return typeof json === 'object' && json !== null ? json : undefined;
}

function decodeEvent(json: object): JournalLine | undefined {
  const event = chainedEventSchema.safeParse(json);
  if (!event.success) return undefined;
  // Only the outline is looked at here, and nothing is copied: at a start this is done for each event of the journal.
  return { kind: 'event', data: Object.assign(json, event.data), prev: event.data.prev };
}

function decodeCommit(json: object): JournalLine | undefined {
  const commit = commitSchema.safeParse(json);
  if (!commit.success) return undefined;
  return { kind: 'commit', seq: commit.data.commit, events: commit.data.events, prev: commit.data.prev };
}

function decodeHeader(json: object): JournalLine | undefined {
  const header = headerSchema.safeParse(json);
  if (!header.success) return undefined;
  if (header.data.format > journalFormat) throw new NewerFormatError(header.data.format);
  const { segment, firstSeq, prev } = header.data;
  return { kind: 'header', segment, firstSeq, prev };
}

function sumOf(bytes: string | Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
