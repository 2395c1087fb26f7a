import { readdirSync, readFileSync } from 'node:fs';
import { systemCodeOf } from '../base/errors';
import { type ProcessStat, readProcessStat } from './processIdentity';

/**
 * All living processes below `rootPid`, as the host sees them, the root not among them. Everything in a jail is: what
 * loses its parent there goes to the jail's own first process.
 */
export function descendantsOf(rootPid: number): ProcessStat[] {
  const children = new Map<number, ProcessStat[]>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readProcessStat(Number(name)) : undefined;
    if (!stat || stat.state === 'Z') continue;
    const siblings = children.get(stat.parentPid);
    if (siblings) siblings.push(stat);
    else children.set(stat.parentPid, [stat]);
  }
  const found: ProcessStat[] = [];
  const toVisit = [rootPid];
  for (let pid = toVisit.pop(); pid !== undefined; pid = toVisit.pop()) {
    const next = children.get(pid) ?? [];
    found.push(...next);
    toVisit.push(...next.map((child) => child.pid));
  }
  return found;
}

/** Sends `signal` to that very process; one that is gone, or whose pid is another's by now, is left alone. */
export function signalProcess(process: Pick<ProcessStat, 'pid' | 'startTicks'>, signal: NodeJS.Signals): void {
  if (readProcessStat(process.pid)?.startTicks !== process.startTicks) return;
  try {
    globalThis.process.kill(process.pid, signal);
  } catch (error) {
    // It ended in between.
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}

/** The pid of a process in its own (innermost) pid namespace. */
export function innerPid(pid: number): number | undefined {
  try {
    const line = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    const last = line?.split(/\s+/).at(-1);
    return last === undefined ? undefined : Number(last);
  } catch {
    return undefined;
  }
}

/** Now, in the unit of `startTicks`: hundredths of a second after boot on every Linux that Node runs on. */
export function nowTicks(): number {
  return Math.floor(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 100);
}
