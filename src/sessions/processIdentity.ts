import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../core/session';

/** What `/proc/<pid>/stat` says of a process. */
export interface ProcessStat {
  readonly pid: number;
  /** `R`, `S`, `Z`, … */
  readonly state: string;
  readonly parentPid: number;
  /** The id of the process session (setsid) that it belongs to. */
  readonly sessionId: number;
  /** Start time in clock ticks after boot. */
  readonly startTicks: number;
}

/**
 * Reads one line of `/proc/<pid>/stat`. The program's name may hold blanks, brackets and line feeds: what counts comes
 * after the last closing bracket.
 * @returns `undefined` when it is no such line.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const nameEnd = text.lastIndexOf(')');
  const pid = Number.parseInt(text, 10);
  if (nameEnd < 0 || !Number.isSafeInteger(pid)) return undefined;
  // The fields are counted from 1 in proc(5); the name is the second.
  const fields = text
    .slice(nameEnd + 1)
    .trim()
    .split(/\s+/);
  const field = (number: number): number => Number(fields[number - 3]);
  const stat = {
    pid,
    state: fields[0] ?? '',
    parentPid: field(4),
    sessionId: field(6),
    startTicks: field(22),
  };
  return Number.isSafeInteger(stat.startTicks) && Number.isSafeInteger(stat.parentPid) ? stat : undefined;
}

/** @returns `undefined` when there is no such process. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Different after every boot, so that a pid of an earlier one is never taken for one of today. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** What tells a living process apart from any other; `undefined` when it is gone. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid);
  return stat && { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** True when that very process is still there and not merely waiting to be reaped. */
export function isAlive(process: ProcessIdentity): boolean {
  const stat = readProcessStat(process.pid);
  return (
    stat !== undefined && stat.startTicks === process.startTicks && stat.state !== 'Z' && bootId() === process.bootId
  );
}
