/** What the processes of a jail use together: for its limits, and for who wants to see it. */
import type { ProcessIdentity } from '../../core/session';
import type { ProcessUse } from '../../core/sessionUse';
import { isAlive, msPerTick, processStat, processTree, readProc, statusNumber } from '../procfs';

export interface TreeUsage {
  /** Processes and threads. */
  readonly tasks: number;
  /** Private and shared memory that is resident; pages of files are not counted, for the kernel can drop them. */
  readonly residentBytes: number;
}

export function usageOf(pids: readonly number[]): TreeUsage {
  let tasks = 0;
  let residentKib = 0;
  for (const pid of pids) {
    const status = readProc(`${pid}/status`);
    if (status === undefined) continue;
    tasks += statusNumber(status, 'Threads');
    residentKib += statusNumber(status, 'RssAnon') + statusNumber(status, 'RssShmem') + statusNumber(status, 'VmSwap');
  }
  return { tasks, residentBytes: residentKib * 1024 };
}

/** What the dead have used is with the one that waited for them. */
export function cpuMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (processStat(pid)?.cpuTicks ?? 0), 0) * msPerTick;
}

/** `undefined` when the jail has ended. */
export function useOfJail(first: ProcessIdentity): ProcessUse | undefined {
  if (!isAlive(first)) return undefined;
  const pids = processTree(first.pid);
  return { residentBytes: usageOf(pids).residentBytes, cpuMs: cpuMsOf(pids) };
}
