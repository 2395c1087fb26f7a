import { availableParallelism } from 'node:os';
import type { Disposable } from '../../base/disposable';
import type { JailLimits } from '../../core/jailPolicy';
import type { ProcessIdentity } from '../../core/session';
import { isAlive, processTree } from '../procfs';
import { repeat } from './repeat';
import { cpuMsOf } from './treeUse';
import type { LimitWatchOptions } from './watchLimits';

const shortestMs = 250;

/**
 * Ends a jail that has used more processor time than it may. The kernel limits each process by itself (`prlimit --cpu`); this is
 * for all of them together, those that have ended included. It looks no sooner than all cores could have used what is left.
 */
export function watchCpu(
  first: ProcessIdentity,
  { cpuMs }: Pick<JailLimits, 'cpuMs'>,
  { clock, onBreach }: LimitWatchOptions,
  cores = availableParallelism(),
): Disposable {
  const soonest = (usedMs: number): number => Math.max(shortestMs, (cpuMs - usedMs) / cores);
  return repeat(clock, soonest(0), () => {
    if (!isAlive(first)) return undefined;
    const usedMs = cpuMsOf(processTree(first.pid));
    if (usedMs <= cpuMs) return soonest(usedMs);
    onBreach({ limit: 'cpuMs', detail: `used ${usedMs} ms of processor time of ${cpuMs}` });
    return undefined;
  });
}
