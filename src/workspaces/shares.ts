import { lstat, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { systemCodeOf } from '../base/errors';
import { workspaceInJail, type Mount } from '../core/jailPolicy';
import { bytesOf, foldersAbove } from './pathBytes';
import { invalidConfig } from './repositoryConfig';
import type { TreeListing } from './treeListing';

/** A folder of the user's repository that jails see read-only. */
export interface Share {
  /** Relative to the top of the repository. */
  readonly path: string;
  /** The folder on the host, without links in its path. */
  readonly folder: string;
}

export interface ResolvedShares {
  readonly shares: readonly Share[];
  readonly notes: readonly string[];
}

/**
 * Finds the folders that the configuration names. One that is not there is noted and left out: a fresh clone has none yet.
 * @throws {UserError} `config-invalid` when one leads out of the repository or is no folder.
 */
export async function resolveShares(
  root: string,
  paths: readonly string[],
  base: TreeListing,
): Promise<ResolvedShares> {
  const shares: Share[] = [];
  const notes: string[] = [];
  for (const path of paths) {
    const folder = await folderOf(root, path);
    if (folder === undefined) notes.push(`The shared folder ${path} is not there, so jails do not have it.`);
    else if (isCommitted(path, base)) notes.push(`${path} is committed, so it is checked out and not shared.`);
    else shares.push({ path, folder });
  }
  return { shares, notes };
}

async function folderOf(root: string, path: string): Promise<string | undefined> {
  let folder: string;
  try {
    folder = await realpath(join(root, path));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return undefined;
    throw invalidConfig(null, `share: ${path} cannot be opened`);
  }
  if (!folder.startsWith(root + sep))
    throw invalidConfig(null, `share: ${path} leads out of the repository, to ${folder}`);
  if (folder.slice(root.length).split(sep).includes('.git'))
    throw invalidConfig(null, `share: ${path} leads into .git`);
  if (!(await lstat(folder)).isDirectory()) throw invalidConfig(null, `share: ${path} is not a folder`);
  return folder;
}

/** True when the base has the path, something in it, or something other than a folder above it. */
export function isCommitted(path: string, base: TreeListing): boolean {
  const bytes = bytesOf(path);
  if (base.has(bytes) || [...foldersAbove(bytes)].some((folder) => base.has(folder))) return true;
  return [...base.keys()].some((other) => other.startsWith(`${bytes}/`));
}

/** Places of the jail that are not the host's: nothing of the user's is mounted there a second time. */
const ownPlaces = [workspaceInJail, '/proc', '/dev', '/sys', '/airlock'];

/**
 * Mounts for the shares over a checked-out folder: each at its place in the workspace, and at the path that it has on the host,
 * which is what the programs in a `.venv` have written down. Nothing is mounted where the checked-out tree has anything but
 * a real folder: a link there would lead the mount astray. Nothing may be running in the folder.
 */
export async function shareMounts(checkedOut: string, root: string, shares: readonly Share[]): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const { path, folder } of shares) {
    if (!(await isDirectory(folder)) || !(await isReachedByFolders(checkedOut, path))) continue;
    mounts.push({ from: folder, at: `${workspaceInJail}/${path}`, access: 'read' });
    const original = join(root, path);
    if (!ownPlaces.some((place) => original === place || original.startsWith(`${place}/`))) {
      mounts.push({ from: folder, at: original, access: 'read' });
    }
  }
  return mounts;
}

/** True when every step of `path` below `top` is a real folder. */
export async function isReachedByFolders(top: string, path: string): Promise<boolean> {
  let folder = top;
  for (const part of path.split('/')) {
    folder = join(folder, part);
    if (!(await isDirectory(folder))) return false;
  }
  return true;
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
