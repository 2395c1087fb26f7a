import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readCgroup } from '../../../src/jail/cgroupUse';
import { ProcHostProbe } from '../../../src/jail/hostLoad';

const noGroups = () => ({ quotas: [], memory: [] });

describe('the load of the machine', () => {
  it('is seen on this one: it rises while somebody works', () => {
    const probe = new ProcHostProbe();
    const first = probe.look();
    const untilMs = performance.now() + 300;
    while (performance.now() < untilMs) Math.sqrt(untilMs);
    const { cpu, memory } = probe.look();
    const isShare = (value: number | null): boolean => value !== null && value >= 0 && value <= 1;
    assert.deepEqual([first.cpu, first.memory, cpu, memory].map(isShare), [true, true, true, true]);
    assert.ok((cpu ?? 0) > 0 && (memory ?? 0) > 0);
  });

  it('is what its processors did since the look before, waiting for a disk not counted, and its memory without what can be had back', () => {
    const files: Record<string, string> = {
      stat: 'cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1 1\n',
      meminfo: 'MemTotal:       1000 kB\nMemFree:          50 kB\nMemAvailable:    250 kB\n',
    };
    const probe = new ProcHostProbe((file) => files[file], noGroups);
    probe.look();
    files['stat'] = 'cpu  130 0 110 750 110 0 0 0 0 0\n';
    assert.deepEqual(probe.look(), { cpu: 0.4, memory: 0.75 });
  });

  it('is not known where there is nothing to see', () => {
    assert.deepEqual(new ProcHostProbe(() => undefined, noGroups).look(), { cpu: null, memory: null });
  });
});

describe('the control groups of this process', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), 'airlock-cgroup-'))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function group(folder: string, files: Readonly<Record<string, string>>): void {
    const at = path.join(root, folder);
    mkdirSync(at, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(at, name), `${text}\n`);
  }

  it('bind by their own limits and by those of the groups above them', () => {
    group('user', { 'cpu.max': '150000 100000', 'cpu.stat': 'usage_usec 9000\nuser_usec 1', 'memory.max': 'max' });
    group('user/editor', {
      'cpu.max': 'max 100000',
      'memory.max': '1000',
      'memory.current': '900',
      'memory.stat': 'anon 5\ninactive_file 300\n',
    });
    assert.deepEqual(readCgroup(root, '0::/user/editor\n'), {
      quotas: [{ group: path.join(root, 'user'), cpus: 1.5, usedUs: 9000 }],
      memory: [{ used: 600, limit: 1000 }],
    });
  });

  it('are understood in their first version too, and where a container sees only the top of its own', () => {
    group('cpu', { 'cpu.cfs_quota_us': '200000', 'cpu.cfs_period_us': '100000' });
    group('cpuacct', { 'cpuacct.usage': '5000000' });
    group('memory', {
      'memory.limit_in_bytes': '1000',
      'memory.usage_in_bytes': '400',
      'memory.stat': 'total_inactive_file 100',
    });
    assert.deepEqual(readCgroup(root, '4:memory:/outside/box\n2:cpuacct:/\n1:cpu:/outside/box\n'), {
      quotas: [{ group: path.join(root, 'cpu'), cpus: 2, usedUs: 5000 }],
      memory: [{ used: 300, limit: 1000 }],
    });
  });

  it('set no limit where they say that there is none', () => {
    group('cpu', { 'cpu.cfs_quota_us': '-1', 'cpu.cfs_period_us': '100000' });
    group('memory', { 'memory.limit_in_bytes': '9223372036854771712', 'memory.usage_in_bytes': '400' });
    group('', { 'cpu.max': 'max 100000', 'memory.max': 'max' });
    assert.deepEqual(readCgroup(root, '4:memory:/\n1:cpu:/\n0::/\n'), { quotas: [], memory: [] });
  });
});
