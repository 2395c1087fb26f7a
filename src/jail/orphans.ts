import { readdirSync, readlinkSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess, waitUntilDead } from './endProcess';
import { isLeftBehind } from './privateFolder';
import { identifyProcess } from './procfs';

/**
 * Ends what is left of the jails of an earlier process of this user that died, and deletes its folders. A process that dies
 * in the millisecond in which bwrap builds a jail leaves that jail's first process behind. It is known by its output: a pipe
 * that was opened in a folder of the dead process's own. A folder that cannot be deleted now, because somebody else is just doing
 * that or a process that is about to end still writes to it, is left to the next start: it keeps nobody from having jails.
 */
export async function endOrphans(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter(isLeftBehind)) {
    const folder = join(tmpdir(), name);
    const stats = await lstat(folder).catch(() => undefined);
    if (!stats?.isDirectory() || stats.uid !== process.geteuid?.()) continue;
    await Promise.all(processesWritingTo(folder).map(end));
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

function processesWritingTo(folder: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  return pids.filter((pid) => [1, 2].some((fd) => targetOf(pid, fd).startsWith(`${folder}/pipe-`)));
}

function targetOf(pid: number, fd: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
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
