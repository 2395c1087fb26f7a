import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readProc } from './procfs';

/** A control group that may use no more than so many processors. */
export interface CpuQuota {
  readonly group: string;
  readonly cpus: number;
  /** Processor time that it has used. */
  readonly usedUs: number;
}

/** The limits of the control groups that this process is in, and what they use of them. */
export interface CgroupUse {
  readonly quotas: readonly CpuQuota[];
  /** In bytes. What the kernel can give back at once (pages of files that nobody has used lately) is not in `used`. */
  readonly memory: readonly MemoryUse[];
}

export interface MemoryUse {
  readonly used: number;
  readonly limit: number;
}

/** What version 2 and version 1 call the same. */
const newNames = { limit: 'memory.max', used: 'memory.current', idle: 'inactive_file' };
const oldNames = { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', idle: 'total_inactive_file' };

/** No machine has so much: version 1 writes "no limit" as a number near the end of 63 bits. */
const noLimitBytes = 2 ** 60;

/** Both versions are understood, and the groups above this process's own, for their limits bind too. @param root For tests. */
export function readCgroup(root = '/sys/fs/cgroup', own = readProc('self/cgroup') ?? ''): CgroupUse {
  const quotas: CpuQuota[] = [];
  const memory: MemoryUse[] = [];
  for (const [, controllers = '', group = '/'] of own.matchAll(/^\d+:([^:]*):(\/.*)$/gm)) {
    if (controllers === '') {
      quotas.push(...upwards(root, group).flatMap(quotaOf));
      memory.push(...upwards(root, group).flatMap((folder) => memoryOf(folder, newNames)));
    }
    if (controllers.split(',').includes('cpu')) quotas.push(...upwards(`${root}/cpu`, group).flatMap(oldQuotaOf));
    if (controllers.split(',').includes('memory'))
      memory.push(...upwards(`${root}/memory`, group).flatMap((folder) => memoryOf(folder, oldNames)));
  }
  return { quotas, memory };
}

/** A group and those above it. In a container the path is often one outside of it: then only the top is there. */
function upwards(root: string, group: string): string[] {
  const folders = [root];
  for (const name of group.split('/').filter((part) => part !== '' && part !== '..'))
    folders.push(path.join(folders.at(-1) ?? root, name));
  return folders;
}

function quotaOf(folder: string): CpuQuota[] {
  const [max, period] = (textOf(folder, 'cpu.max') ?? 'max').split(' ').map(Number);
  const usedUs = Number(/^usage_usec (\d+)/m.exec(textOf(folder, 'cpu.stat') ?? '')?.[1]);
  return max && period && Number.isFinite(usedUs) ? [{ group: folder, cpus: max / period, usedUs }] : [];
}

function oldQuotaOf(folder: string): CpuQuota[] {
  const quota = Number(textOf(folder, 'cpu.cfs_quota_us') ?? -1);
  const period = Number(textOf(folder, 'cpu.cfs_period_us') ?? 0);
  if (!(quota > 0 && period > 0)) return [];
  const usedNs = Number(textOf(folder, 'cpuacct.usage') ?? textOf(folder.replace('/cpu', '/cpuacct'), 'cpuacct.usage'));
  return Number.isFinite(usedNs) ? [{ group: folder, cpus: quota / period, usedUs: usedNs / 1000 }] : [];
}

function memoryOf(folder: string, names: typeof newNames): MemoryUse[] {
  const limit = Number(textOf(folder, names.limit));
  const used = Number(textOf(folder, names.used));
  if (!(limit > 0 && limit < noLimitBytes) || Number.isNaN(used)) return [];
  const stat = textOf(folder, 'memory.stat') ?? '';
  const idle = Number(new RegExp(`^${names.idle} (\\d+)`, 'm').exec(stat)?.[1] ?? 0);
  return [{ used: Math.max(0, used - idle), limit }];
}

/** What the kernel says in a file of a control group; `undefined` where there is none. */
export function textOf(folder: string, name: string): string | undefined {
  try {
    return readFileSync(path.join(folder, name), 'utf8').trim();
  } catch {
    return undefined;
  }
}
