import type { Disposable } from '../../base/disposable';
import type { JailLimits } from '../../core/jailPolicy';
import type { ProcessIdentity } from '../../core/session';
import { isAlive, processTree, readProc, statusNumber } from '../procfs';
import { repeat } from './repeat';
import { usageOf } from './treeUse';
import type { LimitWatchOptions } from './watchLimits';

const shortestMs = 100;
const longestMs = 500;

/** No machine touches new memory faster than this (page faults of a few cores), so a jail far below its limit can wait. */
const fastestGrowthBytesPerMs = 8 * 1024 ** 2;

/**
 * Ends a jail that uses more memory or has more processes than it may. Where several processes share pages, each is counted
 * in full first; only a sum above the limit is counted again with shared pages divided among them, which is slower.
 */
export function watchMemory(
  first: ProcessIdentity,
  limits: Pick<JailLimits, 'memoryBytes' | 'processes'>,
  { clock, onBreach }: LimitWatchOptions,
): Disposable {
  return repeat(clock, shortestMs, () => {
    if (!isAlive(first)) return undefined;
    const pids = processTree(first.pid);
    const usage = usageOf(pids);
    if (usage.tasks >= limits.processes) {
      onBreach({ limit: 'processes', detail: `has ${usage.tasks} processes and threads of ${limits.processes}` });
      return undefined;
    }
    if (usage.residentBytes > limits.memoryBytes) {
      const bytes = proportionalBytes(pids);
      if (bytes > limits.memoryBytes) {
        onBreach({ limit: 'memoryBytes', detail: `uses ${bytes} bytes of memory of ${limits.memoryBytes}` });
        return undefined;
      }
    }
    const room = limits.memoryBytes - usage.residentBytes;
    return Math.min(longestMs, Math.max(shortestMs, room / fastestGrowthBytesPerMs));
  });
}

/** A process whose map cannot be read counts in full. */
function proportionalBytes(pids: readonly number[]): number {
  const kib = pids.map((pid) => {
    const rollup = readProc(`${pid}/smaps_rollup`);
    if (rollup === undefined) return usageOf([pid]).residentBytes / 1024;
    return statusNumber(rollup, 'Pss_Anon') + statusNumber(rollup, 'Pss_Shmem') + statusNumber(rollup, 'SwapPss');
  });
  return kib.reduce((sum, value) => sum + value, 0) * 1024;
}
