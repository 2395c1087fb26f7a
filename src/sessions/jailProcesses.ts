import { uptime } from 'node:os';
import { systemCodeOf } from '../base/errors';
import type { ProcessIdentity } from '../core/session';
import { processTree, readProc } from '../jail/procfs';

/** A process of a jail, as the host sees it. */
export interface JailedProcess {
  /** The host's number for it. */
  readonly pid: number;
  /** Its number inside the jail. */
  readonly innerPid: number;
  /** The process session (setsid) that it belongs to, in the host's numbers. */
  readonly sessionId: number;
  /** When it started, in clock ticks after boot. */
  readonly startTicks: number;
  /** Somebody has sent it SIGSTOP or the like. */
  readonly isStopped: boolean;
}

/**
 * Reads the fields of `/proc/<pid>/stat` that are needed here. The program's name may hold blanks, brackets and line feeds:
 * what counts comes after the last closing bracket.
 */
function parseStat(text: string): Pick<JailedProcess, 'sessionId' | 'startTicks' | 'isStopped'> | undefined {
  // Fields are counted from 1 in proc(5); the first after the name is the third.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Dead, and only waiting to be collected.
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const sessionId = Number(fields[6 - 3]);
  const startTicks = Number(fields[22 - 3]);
  if (!Number.isSafeInteger(sessionId) || !Number.isSafeInteger(startTicks)) return undefined;
  return { sessionId, startTicks, isStopped: fields[0] === 'T' };
}

function jailedProcess(pid: number): JailedProcess | undefined {
  const stat = parseStat(readProc(`${pid}/stat`) ?? '');
  const innerPid = /^NSpid:.*\s(\d+)$/m.exec(readProc(`${pid}/status`) ?? '')?.[1];
  return stat && innerPid !== undefined ? { pid, innerPid: Number(innerPid), ...stat } : undefined;
}

/** Every living process of the jail whose first process is `first`. */
export function processesOf(first: ProcessIdentity): JailedProcess[] {
  return processTree(first.pid).flatMap((pid) => jailedProcess(pid) ?? []);
}

/** Every living process that this one started, directly or not, and that still hangs on it. */
export function processesBelow(top: JailedProcess): JailedProcess[] {
  return processTree(top.pid)
    .slice(1)
    .flatMap((pid) => jailedProcess(pid) ?? []);
}

/** Sends `signal` to that very process; one that is gone, or whose number is another's by now, is left alone. */
export function signalProcess(process: JailedProcess, signal: NodeJS.Signals): void {
  if (parseStat(readProc(`${process.pid}/stat`) ?? '')?.startTicks !== process.startTicks) return;
  try {
    globalThis.process.kill(process.pid, signal);
  } catch (error) {
    // It ended in between.
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}

/** Now, in the unit of `startTicks`: hundredths of a second on every Linux that Node runs on. */
export function nowTicks(): number {
  return Math.floor(uptime() * 100);
}
