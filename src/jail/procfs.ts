import { readdirSync, readFileSync } from 'node:fs';
import { thisBoot } from '../base/thisBoot';
import type { ProcessIdentity } from '../core/session';

/** The parts of `/proc/<pid>/stat` that tell processes apart. */
export interface ProcessStat {
  /** One letter: `R`, `S`, `Z` (dead, not yet collected), … */
  readonly state: string;
  readonly startTicks: number;
  /** Processor time of the process and of those children that it has waited for. */
  readonly cpuTicks: number;
}

/** Ticks in these files are hundredths of a second on every Linux that Node runs on. */
export const msPerTick = 10;

/** @returns `undefined` when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets, and may hold blanks and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuTicks = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  return { state: fields[0] ?? '?', startTicks: Number(fields[19]), cpuTicks };
}

/** Who `pid` is now, or `undefined` when it is nobody. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = processStat(pid);
  const bootId = thisBoot();
  return stat && bootId ? { pid, startTicks: stat.startTicks, bootId } : undefined;
}

/** True while that very process runs. One that is dead and not yet collected does not. */
export function isAlive(process: ProcessIdentity): boolean {
  const stat = processStat(process.pid);
  if (!stat || stat.startTicks !== process.startTicks || stat.state === 'Z' || stat.state === 'X') return false;
  return thisBoot() === process.bootId;
}

/**
 * `root` and every process below it. All that a jail started is below its first process, for orphans become its children.
 */
export function processTree(root: number): number[] {
  const found = [root];
  for (let index = 0; index < found.length; index += 1) {
    found.push(...childrenOf(found[index] ?? root));
  }
  return found;
}

/** Children hang on the thread that started them. */
function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => numbersIn(readProc(`${pid}/task/${thread}/children`)));
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** A value of `/proc/<pid>/status`, such as `RssAnon` (in kB) or `Threads`; 0 when the process is gone. */
export function statusNumber(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}

/** @returns `undefined` when it cannot be read: the process is gone, or is not ours to look at. */
export function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}

function numbersIn(text: string | undefined): number[] {
  return (text ?? '').split(/\s+/).filter(Boolean).map(Number);
}
