import { createHash } from 'node:crypto';

/** User and group ids that exist here: inside a container there may be only 65,536 of them. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/**
 * Where accounts of jails live: a range that systemd's list of uids and gids leaves unused, so that no user, service or
 * container of the host has one of these ids.
 */
const preferredIds: IdRange = { first: 0x7000_0000, count: 0x0ffe_0000 };

/** Below it live the users of the host. */
const firstSpareId = 20_000;

/** `nobody`, which the kernel gives to ids that it cannot map, and the id after it, which means "none". */
const reservedIds = 65_534;

const fewestIds = 1_000;

/** Reads `/proc/self/uid_map` or `gid_map`: lines of `first outside count`. */
export function parseIdMap(text: string): IdRange[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([first, , count]) => (first === undefined || count === undefined ? [] : [{ first, count }]));
}

/**
 * The ids that accounts are taken from, the same for users and groups.
 * @returns `undefined` when there are too few to keep accounts apart.
 */
export function accountIds(map: readonly IdRange[]): IdRange | undefined {
  const preferred = map.some((range) => contains(range, preferredIds));
  if (preferred) return preferredIds;
  const [widest] = map.map(spareIds).sort((a, b) => b.count - a.count);
  return widest && widest.count >= fewestIds ? widest : undefined;
}

function contains(outer: IdRange, inner: IdRange): boolean {
  return outer.first <= inner.first && inner.first + inner.count <= outer.first + outer.count;
}

function spareIds(range: IdRange): IdRange {
  const first = Math.max(range.first, firstSpareId);
  const end = Math.min(range.first + range.count, first < reservedIds ? reservedIds : Number.MAX_SAFE_INTEGER);
  return { first, count: Math.max(0, end - first) };
}

/** The host id of an account: always the same for the same name and range, and spread evenly over the range. */
export function idOfAccount(account: string, ids: IdRange): number {
  const hash = createHash('sha256').update(`airlock account ${account}`).digest();
  return ids.first + (hash.readUIntBE(0, 6) % ids.count);
}
