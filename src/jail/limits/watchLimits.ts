import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { LimitBreach } from '../../core/jail';
import type { JailPolicy } from '../../core/jailPolicy';
import type { ProcessIdentity } from '../../core/session';
import { watchCpu } from './cpuWatch';
import { watchDisk } from './diskWatch';
import { watchMemory } from './memoryWatch';

export interface LimitWatchOptions {
  readonly clock: Clock;
  /** Called when a limit is exceeded; more than once when several are. It must end the jail. */
  readonly onBreach: (breach: LimitBreach) => void;
}

/**
 * Watches what the kernel does not limit for a jail as a whole: wall time, processor time, memory, processes,
 * disk. Dispose of it when the
 * jail has ended.
 */
export function watchLimits(
  policy: JailPolicy,
  firstProcess: Promise<ProcessIdentity | undefined>,
  options: LimitWatchOptions,
): Disposable {
  const { limits, mounts } = policy;
  const watches = new DisposableStore();
  const wall = (): void => options.onBreach({ limit: 'wallMs', detail: `ran longer than ${limits.wallMs} ms` });
  watches.add(options.clock.setTimer(limits.wallMs, wall));
  const writable = mounts.filter((mount) => mount.access === 'write').map((mount) => mount.from);
  void firstProcess.then((first) => {
    if (!first) return;
    watches.add(watchMemory(first, limits, options));
    watches.add(watchCpu(first, limits, options));
    if (writable.length > 0) watches.add(watchDisk(first, writable, limits.diskBytes, options));
  });
  return watches;
}
