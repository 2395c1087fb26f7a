import { readdirSync, readlinkSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess, waitUntilDead } from './endProcess';
import { isLeftBehind } from './privateFolder';
import { identifyProcess } from './procfs';

/**
 * Ends what is left of the jails of an earlier process of this user that died, and deletes its folders. A process that dies
 * in the millisecond in which bwrap builds a jail leaves that jail's first process behind, or the one that was about to become
 * bwrap. It is known by a pipe for its output that was opened in a folder of the dead process's own. A folder that cannot be
 * deleted now, because somebody else is just doing that or a process that is about to end still writes to it, is left to the
 * next start: it keeps nobody from having jails.
 */
export async function endOrphans(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter(isLeftBehind)) {
    const folder = join(tmpdir(), name);
    const stats = await lstat(folder).catch(() => undefined);
    if (!stats?.isDirectory() || stats.uid !== process.geteuid?.()) continue;
    await endHoldersOf(folder);
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Until there are none: one that was seen may have started another before it was ended. */
async function endHoldersOf(folder: string): Promise<void> {
  for (let holders = holdersOf(folder); holders.length > 0; holders = holdersOf(folder)) {
    await Promise.all(holders.map(end));
  }
}

/** Whatever number the pipe has: between fork and exec it is not yet the output. */
function holdersOf(folder: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  return pids.filter((pid) => openFilesOf(pid).some((target) => target.startsWith(`${folder}/pipe-`)));
}

function openFilesOf(pid: number): string[] {
  return listed(`/proc/${pid}/fd`).map((fd) => targetOf(`/proc/${pid}/fd/${fd}`));
}

/** Nothing for a process that is gone or another user's. */
function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

async function end(pid: number): Promise<void> {
  const identity = identifyProcess(pid);
  if (!identity) return;
  endProcess(identity);
  await waitUntilDead(identity);
}
