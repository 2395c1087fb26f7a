import type { AnchorReport, JournalReport } from '../core/journalReport';
import type { SecretSlot } from '../core/secretSlot';
import { type Anchor, type AnchorLines, isGenuine, keyName, readAnchors } from './anchorLines';
import { readVault, type Vault } from './anchorVault';
import type { JournalPosition } from './journalPosition';

/** Anchors as they were before the journal is read, to be held against it. */
export interface AnchorsToCheck {
  /** The events whose places are to be looked at. */
  readonly wanted: readonly number[];
  judge(journal: ReadJournal): AnchorReport;
}

/** What was read of the journal. */
export interface ReadJournal {
  /** The hash at each wanted event that is there. */
  readonly hashes: ReadonlyMap<number, string>;
  /** Behind what was dropped. */
  readonly beginning: JournalPosition;
  readonly head: JournalPosition;
  readonly state: JournalReport['state'];
}

type Head = NonNullable<Vault['newest']>;

export async function anchorsToCheck(storage: string, slot: SecretSlot | undefined): Promise<AnchorsToCheck> {
  const vault = slot && (await readVault(slot));
  const lines = await readAnchors(storage);
  const { own, genuine } = vault ? ownOf(lines, vault) : { own: [], genuine: [] };
  const heads: Head[] = [...genuine, ...(vault?.newest ? [vault.newest] : [])];
  // A loss that was found, told and written down is not told as a new one.
  const lastLoss = genuine.findLastIndex(({ lostSeq }) => lostSeq !== null);
  const standing = lastLoss === -1 ? heads : [...genuine.slice(lastLoss), ...newerThan(vault, genuine)];
  const fileProblem = vault ? problemOfLines(lines, vault) : null;
  return {
    wanted: heads.map(({ head }) => head.seq),
    judge: ({ hashes, beginning, head: end, state }) => {
      const isThere = ({ head }: Head): boolean => hashes.get(head.seq) === head.hash;
      const through = newest(heads.filter(isThere));
      const lost = newest(standing.filter((each) => each.head.seq > beginning.seq && !isThere(each)));
      // Of a chain that breaks it is not known what follows.
      const problem = (lost && state !== 'broken' ? problemOfJournal(lost, through, end) : null) ?? fileProblem;
      return {
        state: problem !== null ? 'broken' : heads.length > 0 ? 'hold' : 'none',
        through: through && { seq: through.head.seq, atMs: through.atMs },
        problem,
        earlier: genuine.flatMap(({ lostSeq, atMs }) => (lostSeq === null ? [] : [{ seq: lostSeq, atMs }])),
        otherKeys: lines.anchors.length - own.length,
      };
    },
  };
}

/** What the vault knows beyond the file; before a loss was written down it knew of what is lost. */
function newerThan(vault: Vault | undefined, genuine: readonly Anchor[]): Head[] {
  const last = genuine.at(-1)?.atMs ?? 0;
  return vault?.newest && vault.newest.atMs > last ? [vault.newest] : [];
}

function newest(heads: readonly Head[]): Head | null {
  return heads.reduce<Head | null>((best, each) => (best && best.head.seq >= each.head.seq ? best : each), null);
}

function problemOfJournal(lost: Head, through: Head | null, end: JournalPosition): string {
  const upTo = through
    ? `Up to event ${through.head.seq} it is as it was anchored.`
    : 'No anchored head is left in it.';
  const when = new Date(lost.atMs).toISOString();
  return lost.head.seq > end.seq
    ? `The journal was cut back: it ends with event ${end.seq}, and event ${lost.head.seq} was anchored on ${when}. ${upTo}`
    : `The journal was rewritten: event ${lost.head.seq} is not the one that was anchored on ${when}. ${upTo}`;
}

/** What is wrong with the file of the anchors, whatever became of the journal; `null`: it has what was anchored with this key. */
export async function problemOfAnchorsFile(storage: string, vault: Vault): Promise<string | null> {
  return problemOfLines(await readAnchors(storage), vault);
}

interface OwnAnchors {
  /** Those that name this key. */
  readonly own: readonly Anchor[];
  readonly genuine: readonly Anchor[];
}

function ownOf({ anchors }: AnchorLines, { key }: Vault): OwnAnchors {
  const own = anchors.filter((anchor) => anchor.key === keyName(key));
  return { own, genuine: own.filter((anchor) => isGenuine(anchor, key)) };
}

function problemOfLines(lines: AnchorLines, vault: Vault): string | null {
  const { anchors, bad, isFull } = lines;
  const { own, genuine } = ownOf(lines, vault);
  const forged = own.length - genuine.length + bad;
  if (forged > 0) return `${forged} of the lines in journal/anchors.jsonl are not as they were written.`;
  const gap = anchors.find((anchor, index) => index > 0 && anchor.before !== anchors[index - 1]?.mac);
  if (gap && genuine.includes(gap)) {
    return `The anchor before that of event ${gap.head.seq} was taken out of journal/anchors.jsonl.`;
  }
  const { newest: last } = vault;
  // Anchors with other keys, for which this one is not asked, may have pushed it out.
  if (!last || isFull) return null;
  if (genuine.some(({ head }) => head.seq === last.head.seq && head.hash === last.head.hash)) return null;
  return `journal/anchors.jsonl was cut back: event ${last.head.seq} was anchored, and it has nothing of that.`;
}
