import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../base/errors';
import type { Jails } from '../core/jail';
import type { RunFolders } from './runFolders';

/** Deletes all that belongs to a run's workspace, and the run's folder when nothing else is in it. The state goes first. */
export async function removeRun(folders: RunFolders, jails: Jails): Promise<void> {
  await jails.remove(folders.state);
  await removeFiles(folders, jails);
  await jails.remove(folders.hostGit);
  // Others may keep things of this run there.
  await rmdir(folders.run).catch(() => {});
}

/** Deletes the files and the agent's git directory. The run's own git directory, with the snapshots, and the state stay. */
export async function removeFiles(folders: RunFolders, jails: Jails): Promise<void> {
  const { baseline, workspace, checks, cache, agentGit } = folders;
  for (const path of [baseline, workspace, checks, cache, `${cache}.tmp`, agentGit]) await jails.remove(path);
}

/** Whether there is a snapshot that somebody could go back to. */
export async function hasKeptSnapshots(folders: RunFolders): Promise<boolean> {
  try {
    return (await readdir(join(folders.hostGit, 'refs/kept'))).length > 0;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
