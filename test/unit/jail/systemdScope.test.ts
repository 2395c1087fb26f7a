import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeSystemdScope, type SystemdScope } from '../../../src/jail/limits/systemdScope';

describe('the probe for a cgroup of systemd', () => {
  let folder: string;
  let folders: { systemd: string; cgroups: string };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'airlock-scope-'));
    folders = { systemd: join(folder, 'system'), cgroups: join(folder, 'cgroup.controllers') };
    await mkdir(folders.systemd);
    await writeFile(folders.cgroups, 'memory pids\n');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** @param script what `systemd-run` is on this made-up machine. */
  const probe = async (script: string): Promise<SystemdScope | null> => {
    const systemdRunPath = join(folder, 'systemd-run');
    await writeFile(systemdRunPath, `#!/bin/sh\ntouch '${folder}/asked'\n${script}\n`, { mode: 0o755 });
    const environment = { XDG_RUNTIME_DIR: '/run/user/1000' };
    return probeSystemdScope({ systemdRunPath, envPath: '/usr/bin/env' }, environment, folders);
  };

  it('finds one that holds its limits and hands descriptors on', async () => {
    const found = await probe("printf '103809024\\n116\\n' >&3");
    assert.deepEqual(found, {
      systemdRunPath: join(folder, 'systemd-run'),
      envPath: '/usr/bin/env',
      runtimeFolder: process.geteuid?.() === 0 ? null : '/run/user/1000',
    });
  });

  for (const [what, script] of [
    ['is refused one', 'echo "Failed to connect to bus" >&2; exit 1'],
    ['gets one without limits', "printf 'max\\nmax\\n' >&3"],
    ['gets one that loses descriptors', "exec 3>&-; printf '103809024\\n116\\n'"],
    ['gets none but the program runs all the same', 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'],
  ] as const) {
    it(`finds none where it ${what}`, async () => {
      assert.equal(await probe(script), null);
    });
  }

  it('asks nobody where there is no systemd, or no second version of cgroups', async () => {
    for (const missing of ['systemd', 'cgroups'] as const) {
      const before = folders;
      folders = { ...folders, [missing]: join(folder, 'missing') };
      assert.equal(await probe('exit 0'), null);
      folders = before;
    }
    assert.equal(existsSync(join(folder, 'asked')), false);
  });
});
