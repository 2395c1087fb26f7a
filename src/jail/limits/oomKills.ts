import path from 'node:path';
import type { LimitBreach } from '../../core/jail';
import { textOf } from '../cgroupUse';
import { readProc } from '../procfs';

/** As systemd-run names scopes; another group is not the jail's own. */
const scopeName = /^run-[^/]+\.scope$/;

/**
 * Tells, when a jail was killed, whether the kernel had killed something in its scope for want of memory. systemd then ends all of the
 * scope (before its version 253 whatever it is told) and mostly the scope's own files are gone with it; but the group above keeps count
 * of what was killed below it (cgroup-v2, `memory.events`). While this jail lived, one beside it may have been.
 * @param pid a process of the jail, which runs.
 * @param root and `own` are given by tests.
 */
export function watchOomKills(
  pid: number,
  root = '/sys/fs/cgroup',
  own = readProc(`${pid}/cgroup`) ?? '',
): () => LimitBreach | undefined {
  const group = path.join(root, /^0::(\/.*)$/m.exec(own)?.[1] ?? '/');
  const maxBytes = Number(textOf(group, 'memory.max'));
  if (!scopeName.test(path.basename(group)) || !(maxBytes > 0)) return () => undefined;
  const above = path.dirname(group);
  const before = killsIn(above) ?? 0;
  return () => {
    const kills = killsIn(group) ?? (killsIn(above) ?? 0) - before;
    if (kills <= 0) return undefined;
    const detail = `was ended by the kernel: its processes and its memory folders had come to ${maxBytes} bytes together`;
    return { limit: 'memoryBytes', detail };
  };
}

/** `undefined` where nobody counts, and when the group is gone. */
function killsIn(group: string): number | undefined {
  const found = /^oom_kill (\d+)$/m.exec(textOf(group, 'memory.events') ?? '');
  return found ? Number(found[1]) : undefined;
}
