import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Dependencies } from '../core/dependencies';
import { workspaceInJail, type Mount } from '../core/jailPolicy';
import { isReachedByFolders } from './shares';

/**
 * Mounts for what a setup made over a checked-out folder, read-only. Nothing is mounted where the tree has anything but a real
 * folder on the way: a link there would lead the mount astray. Nothing may be running in the folder.
 */
export async function dependencyMounts(checkedOut: string, dependencies: Dependencies): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const { path, folder } of dependencies.folders) {
    if (!(await hasMountPoint(checkedOut, path))) continue;
    mounts.push({ from: folder, at: `${workspaceInJail}/${path}`, access: 'read' });
  }
  return mounts;
}

async function hasMountPoint(top: string, path: string): Promise<boolean> {
  const above = dirname(path);
  if (above !== '.' && !(await isReachedByFolders(top, above))) return false;
  try {
    await mkdir(join(top, path));
    // Whatever the umask says: a folder that the run cannot read would be missing from its result.
    await chmod(join(top, path), 0o755);
  } catch {
    // What is there already is looked at next, whatever it is.
  }
  return isReachedByFolders(top, path);
}
