import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { SecretSlot } from '../core/secretSlot';
import { type JournalPosition, journalPositionSchema } from './journalPosition';

/** What is kept outside of the storage: the key, the newest head that was anchored with it, and what was said. */
const vaultSchema = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  newest: z.object({ head: journalPositionSchema, atMs: z.number() }).nullable(),
  /** What was said of the file of the anchors at the last start, so that it is said once. */
  told: z.string().nullable().default(null),
});

export interface Vault {
  readonly key: Buffer;
  readonly newest: { readonly head: JournalPosition; readonly atMs: number } | null;
  readonly told: string | null;
}

/** @returns `undefined` when there is no key yet. @throws when what is there is none of ours. */
export async function readVault(slot: SecretSlot): Promise<Vault | undefined> {
  const text = await slot.read();
  if (text === undefined) return undefined;
  const { key, ...rest } = vaultSchema.parse(JSON.parse(text));
  return { key: Buffer.from(key, 'hex'), ...rest };
}

export function writeVault(slot: SecretSlot, { key, ...rest }: Vault): Promise<void> {
  return slot.write(JSON.stringify({ key: key.toString('hex'), ...rest }));
}

export function newVault(): Vault {
  return { key: randomBytes(32), newest: null, told: null };
}

/** The journal is another one from here on, because the user wants it. */
export async function forgetNewest(slot: SecretSlot): Promise<void> {
  const vault = await readVault(slot);
  if (vault) await writeVault(slot, { ...vault, newest: null });
}
