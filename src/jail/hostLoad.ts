import { availableParallelism, loadavg } from 'node:os';
import type { HostLoad, HostProbe } from '../core/hostLoad';
import { type CpuQuota, readCgroup } from './cgroupUse';
import { readProc, statusNumber } from './procfs';

/** What has passed in ticks or microseconds, and how much of that somebody worked. */
interface Worked {
  readonly busy: number;
  readonly total: number;
}

/**
 * The load of this machine from `/proc/stat` and `MemAvailable`, and of the control groups round this process, where they
 * allow less than the machine has: the fullest of them counts.
 */
export class ProcHostProbe implements HostProbe {
  private machine: Worked | undefined;
  private quotas = new Map<string, { readonly quota: CpuQuota; readonly atUs: number }>();

  constructor(
    private readonly read: (path: string) => string | undefined = readProc,
    private readonly cgroup = readCgroup,
  ) {}

  look(): HostLoad {
    const { quotas, memory } = this.cgroup();
    return {
      cpu: fullest([this.machineCpu(), ...this.quotaCpu(quotas)]),
      memory: fullest([memoryUse(this.read('meminfo') ?? ''), ...memory.map(({ used, limit }) => used / limit)]),
    };
  }

  private machineCpu(): number | null {
    const now = workedOf(this.read('stat') ?? '');
    const before = this.machine;
    this.machine = now;
    if (!now) return null;
    if (!before) return Math.min(1, (loadavg()[0] ?? 0) / availableParallelism());
    const total = now.total - before.total;
    return total > 0 ? share((now.busy - before.busy) / total) : 0;
  }

  private quotaCpu(quotas: readonly CpuQuota[]): number[] {
    const atUs = performance.now() * 1000;
    const before = this.quotas;
    this.quotas = new Map(quotas.map((quota) => [quota.group, { quota, atUs }]));
    return quotas.flatMap(({ group, usedUs, cpus }) => {
      const last = before.get(group);
      if (!last || atUs <= last.atUs) return [];
      return share((usedUs - last.quota.usedUs) / ((atUs - last.atUs) * cpus));
    });
  }
}

/** The first line of `/proc/stat`: user nice system idle iowait irq softirq steal. What others of the machine stole is in use too. */
function workedOf(stat: string): Worked | undefined {
  const ticks = /^cpu +(.+)$/m.exec(stat)?.[1]?.split(' ').slice(0, 8).map(Number);
  if (!ticks || ticks.length < 5 || ticks.some(Number.isNaN)) return undefined;
  const total = ticks.reduce((sum, each) => sum + each, 0);
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}

function memoryUse(meminfo: string): number | null {
  const total = statusNumber(meminfo, 'MemTotal');
  return total === 0 ? null : share(1 - statusNumber(meminfo, 'MemAvailable') / total);
}

function fullest(shares: readonly (number | null)[]): number | null {
  const known = shares.flatMap((each) => each ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
