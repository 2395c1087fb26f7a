import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { sha256 } from '../base/digest';
import { isUserError, messageOf, UserError } from '../base/errors';
import type { LiveState } from '../core/liveState';
import { fromWire, liveStateVersion, toWire } from '../core/snapshot';
import { makePrivateFolder, writeDurably } from '../base/durableFile';
import { type JournalPosition, journalPositionSchema } from './journalPosition';

/** The version of this format. A snapshot of a newer one is refused. */
const snapshotFormat = 1;

/** So many are kept: when the newest is damaged, the one before it still saves most of the replay. */
const keptGenerations = 2;

/** The first line of a snapshot: the digest of the second. */
const sealSchema = z.object({ airlock: z.literal('snapshot'), sha256: z.string() });

/** The second line; the versions are read first, so that a newer one is told from a damaged one. */
const versionsSchema = z.looseObject({
  format: z.number().int(),
  state: z.looseObject({ version: z.number().int() }),
});
const contentSchema = z.object({
  format: z.literal(snapshotFormat),
  position: journalPositionSchema,
  state: z.unknown(),
});

export interface FoundSnapshot {
  readonly state: LiveState;
  /** The place in the journal up to which the state is folded. */
  readonly position: JournalPosition;
}

/**
 * Writes the state as a new generation and drops those that are too old. It is on disk when this resolves. The state is
 * read before the first `await`, so it may go on changing at once.
 * @throws {UserError} `disk-full`.
 */
export async function writeSnapshot(folder: string, state: LiveState, position: JournalPosition): Promise<void> {
  const content = JSON.stringify({ format: snapshotFormat, position, state: toWire(state) });
  const seal = JSON.stringify({ airlock: 'snapshot', sha256: sha256(content) });
  await makePrivateFolder(folder);
  await writeDurably(snapshotFile(folder, position.seq), `${seal}\n${content}\n`);
  const old = (await listSnapshots(folder)).slice(keptGenerations);
  for (const seq of old) await rm(snapshotFile(folder, seq), { force: true });
}

/**
 * The newest snapshot that is whole. One that is not is passed over, and a note says so.
 * @throws {UserError} `journal-newer` when a newer product wrote one.
 */
export async function readNewestSnapshot(
  folder: string,
): Promise<{ readonly snapshot: FoundSnapshot | undefined; readonly notes: readonly string[] }> {
  await makePrivateFolder(folder);
  const notes: string[] = [];
  for (const seq of await listSnapshots(folder)) {
    const file = snapshotFile(folder, seq);
    try {
      return { snapshot: await readSnapshot(file), notes };
    } catch (error) {
      if (error instanceof UserError) throw error;
      notes.push(`The snapshot ${file} is damaged (${firstLine(error)}) and was passed over; nothing is lost by it.`);
    }
  }
  return { snapshot: undefined, notes };
}

/** Each snapshot that is there, newest first, and the place in the journal that it says it is for. */
export async function listSnapshotPlaces(
  folder: string,
): Promise<readonly { readonly file: string; readonly position: JournalPosition | null }[]> {
  const places: { file: string; position: JournalPosition | null }[] = [];
  for (const seq of await listSnapshots(folder)) {
    const file = snapshotFile(folder, seq);
    const found = await readSnapshot(file).catch((error: unknown) => {
      if (isUserError(error)) throw error;
      return null;
    });
    places.push({ file, position: found?.position ?? null });
  }
  return places;
}

async function readSnapshot(file: string): Promise<FoundSnapshot> {
  const text = await readFile(file, 'utf8');
  const [sealLine = '', contentLine = ''] = text.split('\n', 2);
  const seal = sealSchema.parse(JSON.parse(sealLine));
  if (seal.sha256 !== sha256(contentLine)) throw new Error('its digest does not match');
  const json: unknown = JSON.parse(contentLine);
  const versions = versionsSchema.parse(json);
  if (versions.format > snapshotFormat || versions.state.version > liveStateVersion) {
    throw new UserError(
      'journal-newer',
      `The snapshot ${file} was written by a newer version of Airlock. Update Airlock, or use another storage folder. ` +
        'Nothing was changed.',
      { file },
    );
  }
  const content = contentSchema.parse(json);
  const state = fromWire(content.state);
  if (state.seq !== content.position.seq) throw new Error('its state and its place in the journal do not agree');
  return { state, position: content.position };
}

/** The events that snapshots end with, newest first. */
async function listSnapshots(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .map((name) => /^snapshot-(\d+)\.json$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map((digits) => Number.parseInt(digits, 10))
    .sort((a, b) => b - a);
}

function snapshotFile(folder: string, seq: number): string {
  return path.join(folder, `snapshot-${String(seq).padStart(12, '0')}.json`);
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}
