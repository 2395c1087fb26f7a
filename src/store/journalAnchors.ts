import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock';
import { messageOf, systemCodeOf } from '../base/errors';
import type { Logger } from '../base/logger';
import { Mutex } from '../base/mutex';
import type { SecretSlot } from '../core/secretSlot';
import { addAnchor, isGenuine, keyName, readAnchors } from './anchorLines';
import { problemOfAnchorsFile } from './anchorReport';
import { newVault, readVault, type Vault, writeVault } from './anchorVault';
import { journalBeginning } from './droppedSegments';
import { isAnchored, type JournalPosition } from './journalPosition';
import { segmentFile } from './segments';

export interface JournalAnchorsOptions {
  readonly storage: string;
  /** Where the key is; `undefined`: nothing is anchored. */
  readonly slot: SecretSlot | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when the journal is not what was anchored. */
  readonly onBroken: (message: string) => void;
}

/**
 * Vouches for heads of the journal with a key that is not in the storage, and looks at the start whether the newest one is still
 * there. All of it happens beside the work: where the key cannot be had, the log says so and everything else goes on.
 */
export class JournalAnchors {
  private readonly oneByOne = new Mutex();
  private last: Promise<void> = Promise.resolve();
  private lostSeq: number | null = null;
  private anchoredSeq = 0;

  constructor(private readonly options: JournalAnchorsOptions) {}

  /** Looks whether the journal, which ends at `end`, still has what was anchored. Returns at once. */
  check(end: JournalPosition): void {
    this.run((vault, slot) => this.look(vault, slot, end));
  }

  /** Anchors a head that is durable. Returns at once. */
  anchor(head: JournalPosition): void {
    this.run((vault, slot) => this.add(vault, slot, head));
  }

  /** Anchors the last head; what was begun is at its end when this resolves. */
  finish(head: JournalPosition): Promise<void> {
    this.anchor(head);
    return this.last;
  }

  private run(action: (vault: Vault, slot: SecretSlot) => Promise<void>): void {
    const { slot, logger } = this.options;
    if (!slot) return;
    this.last = this.oneByOne
      .run(async () => action((await readVault(slot)) ?? newVault(), slot))
      .catch((error: unknown) => logger.warn('The journal could not be anchored', { reason: messageOf(error) }));
  }

  private async look(vault: Vault, slot: SecretSlot, end: JournalPosition): Promise<void> {
    const { storage } = this.options;
    const newest = await newestAnchor(storage, vault);
    if (!newest) return;
    this.anchoredSeq = newest.head.seq;
    if (await stillHas(storage, newest.head, end)) return this.lookAtFile(vault, slot);
    this.lostSeq = newest.head.seq;
    this.anchoredSeq = 0;
    this.options.onBroken(
      `The journal was cut back or rewritten: event ${newest.head.seq}, which was anchored on ` +
        `${new Date(newest.atMs).toISOString()}, is no longer what it was. Unless you put an older copy of the storage back, ` +
        'something else changed it. Verifying the journal says more.',
    );
  }

  /** What the next anchor covers up, or what stays as it is: each is said at one start. */
  private async lookAtFile(vault: Vault, slot: SecretSlot): Promise<void> {
    const problem = await problemOfAnchorsFile(this.options.storage, vault);
    if (problem === vault.told) return;
    if (problem !== null) this.options.onBroken(`${problem} The journal itself has what was anchored last.`);
    await writeVault(slot, { ...vault, told: problem });
  }

  private async add(vault: Vault, slot: SecretSlot, head: JournalPosition): Promise<void> {
    const { storage, clock } = this.options;
    if (head.seq <= this.anchoredSeq) return;
    const atMs = clock.nowMs();
    // A new key is kept before it is used.
    if (!vault.newest) await writeVault(slot, vault);
    await addAnchor(storage, vault.key, { head, atMs, lostSeq: this.lostSeq });
    // Second: killed in between, the storage knows of more than the vault, and that is nothing wrong.
    await writeVault(slot, { ...vault, newest: { head, atMs } });
    this.lostSeq = null;
    this.anchoredSeq = head.seq;
  }
}

/** The newest of what the vault knows and what the storage has with its key. */
async function newestAnchor(storage: string, vault: Vault): Promise<Vault['newest']> {
  const { anchors } = await readAnchors(storage);
  const own = anchors.findLast((anchor) => anchor.key === keyName(vault.key) && isGenuine(anchor, vault.key));
  if (!own) return vault.newest;
  return vault.newest && vault.newest.head.seq >= own.head.seq ? vault.newest : own;
}

/** Whether the line at an anchored place is still the one that stood there. What was dropped since cannot be looked at. */
async function stillHas(storage: string, head: JournalPosition, end: JournalPosition): Promise<boolean> {
  if (head.seq > end.seq) return false;
  const folder = path.join(storage, 'journal');
  if (head.segment < (await journalBeginning(folder)).segment) return true;
  try {
    const handle = await open(segmentFile(folder, head.segment), 'r');
    try {
      const read = async (position: number, bytes: number): Promise<Buffer> => {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, position);
        return buffer.subarray(0, bytesRead);
      };
      return await isAnchored({ read }, head);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
