import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { watchOomKills } from '../../../src/jail/limits/oomKills';

describe('what the kernel killed for want of memory', () => {
  let root: string;
  const slice = '/user.slice/app.slice';

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'airlock-cgroup-'));
    counts(3);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** As the kernel writes it in the group above the jail's. */
  function counts(kills: number): void {
    mkdirSync(path.join(root, slice), { recursive: true });
    writeFileSync(path.join(root, slice, 'memory.events'), `low 0\nhigh 0\nmax 71\noom 1\noom_kill ${kills}\n`);
  }

  function watch(name: string, max: string): ReturnType<typeof watchOomKills> {
    const group = path.join(slice, name);
    mkdirSync(path.join(root, group), { recursive: true });
    writeFileSync(path.join(root, group, 'memory.max'), max);
    return watchOomKills(0, root, `0::${group}\n`);
  }

  it('is known when the group of the jail is gone', () => {
    const killed = watch('run-r1a.scope', '250331136\n');
    counts(4);
    rmSync(path.join(root, slice, 'run-r1a.scope'), { recursive: true });
    assert.deepEqual(killed(), {
      limit: 'memoryBytes',
      detail: 'was ended by the kernel: its processes and its memory folders had come to 250331136 bytes together',
    });
  });

  it('is nothing when nothing was, or there is no limit, or the group is not the jail’s own', () => {
    const asked = [watch('run-r1a.scope', '250331136\n'), watch('run-r1b.scope', 'max\n'), watch('shell.scope', '1\n')];
    assert.equal(asked[0]?.(), undefined);
    counts(5);
    assert.deepEqual([asked[1]?.(), asked[2]?.()], [undefined, undefined]);
  });

  it('is nothing when the group is still there and says that it was another one', () => {
    const killed = watch('run-r1a.scope', '250331136\n');
    writeFileSync(path.join(root, slice, 'run-r1a.scope', 'memory.events'), 'oom 0\noom_kill 0\n');
    counts(4);
    assert.equal(killed(), undefined);
  });

  it('is nothing where groups are none of these', () => {
    assert.equal(watchOomKills(0, root, '5:memory:/a\n0::/\n')(), undefined);
    assert.equal(watchOomKills(0, root, '')(), undefined);
  });
});
