import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { LimitBreach } from '../../core/jail';
import { readProc } from '../procfs';

/** As systemd-run names scopes; another group is not the jail's own. */
const scopeName = /^run-[^/]+\.scope$/;

/**
 * Tells, when a jail has ended, whether the kernel had killed something in its scope for want of memory. systemd then ends all of the
 * scope (before its version 253 whatever it is told) and the scope's own files are gone with it; but the group above keeps count of
 * what was killed below it (cgroup-v2, `memory.events`). A jail beside this one that was killed in the same time is taken for it.
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
  const before = killsIn(above);
  return () => {
    if (killsIn(above) <= before) return undefined;
    const detail = `was ended by the kernel: its processes and its memory folders had come to ${maxBytes} bytes together`;
    return { limit: 'memoryBytes', detail };
  };
}

/** 0 where nobody counts. */
function killsIn(group: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(textOf(group, 'memory.events'))?.[1] ?? 0);
}

function textOf(group: string, name: string): string {
  try {
    return readFileSync(path.join(group, name), 'utf8');
  } catch {
    return '';
  }
}
