import assert from 'node:assert/strict';
import { chmod, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { assertSucceeded, type JailRoom, openJailRoom } from './jailRoom';

describe('reading out of a jail', () => {
  let room: JailRoom;
  const token = 'canary-7f3a';

  before(async () => {
    room = await openJailRoom();
    await mkdir(join(room.root, 'other-run'));
    await writeFile(join(room.root, 'other-run/secret'), token, { mode: 0o644 });
    await symlink(join(room.root, 'other-run/secret'), join(room.workspace, 'link'));
  });

  after(() => room.close());

  it('finds no home, no shadow file, no folder of another run, no /sys, no journal of the host', async () => {
    const paths = [
      homedir(),
      '/root',
      '/etc/shadow',
      '/etc/gshadow',
      '/etc/ssh',
      '/sys',
      '/boot',
      '/var',
      '/run',
      '/srv',
      '/mnt',
      '/opt',
    ];
    const { stdout } = await room.sh(`for path in "${[...paths, join(room.root, 'other-run')].join('" "')}"; do
      find "$path" -maxdepth 1 2>/dev/null; done`);
    const found = stdout.split('\n').filter(Boolean);
    // A tool chain in the home folder is there, and nothing that lies beside it.
    const shown = (await room.jails.facts()).toolChains.flatMap(({ mounts }) => mounts.map(({ at }) => `${at}/`));
    assert.deepEqual(
      found.filter((path) => !shown.some((at) => at.startsWith(`${path}/`))),
      [],
    );
  });

  it('does not follow a link in the workspace out of the jail', async () => {
    const { exitCode, stdout } = await room.run(['/bin/cat', '/workspace/link']);
    assert.deepEqual({ exitCode, stdout }, { exitCode: 1, stdout: '' });
  });

  it('does not get out by a parent folder, a working directory or a root of a process', async () => {
    const path = join(room.root, 'other-run/secret');
    const { stdout } =
      await room.sh(`for start in /workspace/../.. /proc/self/root /proc/1/root /proc/self/cwd/../.. /proc/1/cwd; do
      cat "$start${path}" 2>/dev/null; done; true`);
    assert.equal(stdout, '');
  });

  it('names no user of the host', async () => {
    const ran = await room.sh('cut -d: -f1 /etc/passwd; cut -d: -f1 /etc/group; id -un; hostname');
    assertSucceeded(ran);
    assert.deepEqual(ran.stdout.trim().split('\n'), [
      'root',
      'agent',
      'nobody',
      'root',
      'tty',
      'agent',
      'nogroup',
      'agent',
      'airlock',
    ]);
  });

  it('sees no process but its own', async () => {
    const ran = await room.sh('for path in /proc/[0-9]*; do tr "\\0" " " <$path/cmdline; echo; done');
    const lines = ran.stdout.trim().split('\n');
    assert.ok(lines.length <= 4, ran.stdout);
    assert.ok(
      lines.every((line) => /^(\/usr\/bin\/bwrap|\/bin\/bash|tr) ?/.test(line)),
      ran.stdout,
    );
  });

  it('reads no environment but its own, in any process', async () => {
    process.env['AIRLOCK_TEST_SECRET'] = token;
    try {
      const ran = await room.sh('cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | cut -d= -f1 | sort -u');
      const names = ran.stdout.trim().split('\n').filter(Boolean);
      const { toolChains } = await room.jails.facts();
      const own = ['HOME', 'LANG', 'OLDPWD', 'PATH', 'PWD', 'SHLVL', 'TERM', 'TMPDIR', 'USER', '_'].concat(
        ...toolChains.map(({ environment }) => Object.keys(environment)),
      );
      assert.deepEqual(
        names.filter((name) => !own.includes(name)),
        [],
      );
    } finally {
      delete process.env['AIRLOCK_TEST_SECRET'];
    }
  });

  it('learns no path of the host from the command line of the process that built the jail', async () => {
    const { stdout } = await room.sh('tr "\\0" "\\n" </proc/1/cmdline');
    assert.equal(stdout.includes(await realpath(room.root)), false, stdout);
  });

  it("does not see kernel messages, kernel memory or the host's disks", async () => {
    const ran = await room.sh(
      'dmesg; cat /proc/kcore | head -c 1; ls /dev/sd* /dev/vd* /dev/nvme* /dev/mem /dev/kmsg /dev/fuse /dev/kvm',
    );
    assert.equal(ran.stdout, '');
  });

  it('reads a file of the host whose folder is closed, only where the policy shows it', async () => {
    const shown = join(room.root, 'closed/shown');
    await mkdir(shown, { recursive: true });
    await writeFile(join(shown, 'file'), 'shown', { mode: 0o644 });
    await chmod(join(room.root, 'closed'), 0o700);
    const policy = room.policy({ workingDirectory: '/', mounts: [{ from: shown, at: '/data/shown', access: 'read' }] });
    const ran = await room.run(['/bin/cat', '/data/shown/file'], { policy });
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'shown');
  });

  it("works in a folder that is the account's alone", async () => {
    const closed = join(room.root, 'closed-workspace');
    await mkdir(closed, { mode: 0o700 });
    await room.jails.handOver(closed, 'run-test');
    const policy = room.policy({ mounts: [{ from: closed, at: '/workspace', access: 'write' }] });
    const ran = await room.sh('touch file && ls', { policy });
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'file\n');
  });
});
