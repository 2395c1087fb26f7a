import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type SyscallName, syscallNumber } from '../../src/jail/seccomp/syscalls';
import { assertSucceeded, type JailRoom, needProgram, openJailRoom } from './jailRoom';

const perm = '1';
const nosys = '38';

/** A system call with arguments that make it do something real outside, and how it fails inside. */
interface Attempt {
  readonly name: SyscallName;
  readonly args: readonly (number | string)[];
  readonly errno: string;
  /** Outside, any user gets past the point where the filter stops it; it may then fail for another reason. */
  readonly control?: true;
}

const attempts: readonly Attempt[] = [
  { name: 'unshare', args: [0x10000000], errno: perm, control: true },
  { name: 'setns', args: [-1, 0], errno: perm, control: true },
  { name: 'clone3', args: [0, 0], errno: nosys, control: true },
  { name: 'ptrace', args: [0, 0, 0, 0], errno: perm, control: true },
  { name: 'process_vm_readv', args: ['$$', 0, 0, 0, 0, 0], errno: perm, control: true },
  { name: 'process_vm_writev', args: ['$$', 0, 0, 0, 0, 0], errno: perm, control: true },
  { name: 'pidfd_getfd', args: [-1, 0, 0], errno: perm, control: true },
  { name: 'kcmp', args: ['$$', '$$', 1, 0, 0], errno: perm, control: true },
  { name: 'personality', args: [0x0040000], errno: perm, control: true },
  { name: 'keyctl', args: [0, -3, 0], errno: perm, control: true },
  { name: 'add_key', args: ['my $a = "user"', 'my $b = "k"', 'my $c = "v"', 1, -3], errno: perm, control: true },
  { name: 'request_key', args: ['my $d = "user"', 'my $e = "k"', 0, 0], errno: perm, control: true },
  { name: 'io_uring_setup', args: [1, 0], errno: nosys, control: true },
  { name: 'memfd_create', args: ['my $s1 = "m"', 0], errno: nosys, control: true },
  { name: 'bpf', args: [0, 0, 0], errno: perm },
  { name: 'perf_event_open', args: [0, 0, 0, 0, 0], errno: perm },
  { name: 'userfaultfd', args: [1], errno: perm },
  { name: 'mount', args: ['my $s2 = "t"', 'my $s3 = "/tmp"', 'my $s4 = "tmpfs"', 0, 0], errno: perm },
  { name: 'umount2', args: ['my $s5 = "/tmp"', 2], errno: perm },
  { name: 'pivot_root', args: ['my $s6 = "/tmp"', 'my $s7 = "/tmp"'], errno: perm },
  { name: 'chroot', args: ['my $s8 = "/tmp"'], errno: perm },
  { name: 'open_tree', args: [-100, 'my $s9 = "/"', 1], errno: perm },
  { name: 'fsopen', args: ['my $s10 = "tmpfs"', 0], errno: perm },
  { name: 'init_module', args: ['my $s11 = ""', 0, 'my $s12 = ""'], errno: perm },
  { name: 'kexec_load', args: [0, 0, 0, 0], errno: perm },
  { name: 'open_by_handle_at', args: [-1, 0, 0], errno: perm },
  { name: 'syslog', args: [3, 0, 0], errno: perm },
  { name: 'shmget', args: [0, 1024 * 1024, 0o1600], errno: perm, control: true },
];

describe('becoming more than a jail allows', () => {
  let room: JailRoom;

  before(async () => {
    room = await openJailRoom();
  });

  after(() => room.close());

  it('fails for every system call that could help', async function () {
    needProgram(this, '/usr/bin/perl');
    const { architecture } = await room.jails.facts();
    const script = attempts
      .map(
        ({ name, args }) =>
          `print "${name} ", syscall(${[syscallNumber(name, architecture), ...args].join(', ')}) == -1 ? $!+0 : "done", "\\n";`,
      )
      .join('\n');
    const inside = await room.run(['/usr/bin/perl', '-e', script]);
    assertSucceeded(inside);
    assert.deepEqual(
      inside.stdout.trim().split('\n'),
      attempts.map(({ name, errno }) => `${name} ${errno}`),
    );
    const outside = spawnSync('/usr/bin/perl', ['-e', script], { encoding: 'utf8' }).stdout.trim().split('\n');
    const blind = attempts.filter(({ name, errno, control }) => control && outside.includes(`${name} ${errno}`));
    assert.deepEqual(
      blind.map(({ name }) => name),
      [],
      'what the control outside got past',
    );
  });

  it('has no capability and cannot gain any', async () => {
    const ran = await room.run(['/bin/grep', '-E', '^(Cap|NoNewPrivs|Seccomp:|Uid|Groups)', '/proc/self/status']);
    const status = new Map(
      ran.stdout
        .trim()
        .split('\n')
        .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const [uid, groups] = [status.get('Uid') ?? '', status.get('Groups') ?? ''];
    status.delete('Uid');
    status.delete('Groups');
    const none = '0000000000000000';
    assert.deepEqual(Object.fromEntries(status), {
      CapInh: none,
      CapPrm: none,
      CapEff: none,
      CapBnd: none,
      CapAmb: none,
      NoNewPrivs: '1',
      Seccomp: '2',
    });
    assert.equal(uid.startsWith('0'), false);
    assert.ok(groups.split(' ').filter(Boolean).length <= 1, groups);
  });

  it('is not root on the host either', async () => {
    const { hostId } = await hostView(room);
    assert.notEqual(hostId, 0);
  });

  it('gains nothing from a set-uid program', async () => {
    const { stdout } = await room.sh(
      'for program in su mount passwd newgrp chfn sudo pkexec; do command -v $program; done | head -1',
    );
    assert.notEqual(stdout, '', 'there is a set-uid program to try');
    const ran = await room.sh('cp /usr/bin/id own && chmod 4755 own && ./own -u; newgrp root </dev/null; id -u');
    assert.equal(ran.stdout.split('\n').includes('0'), false, ran.stdout);
  });

  it('makes no namespace, not even a user namespace', async () => {
    const ran = await room.sh(
      'for kind in user mount pid net ipc uts; do unshare --$kind true 2>/dev/null && echo $kind; done; unshare -Ur true && echo root; true',
    );
    assert.equal(ran.stdout, '');
  });

  it('changes no setting of the kernel', async () => {
    const ran = await room.sh(
      'for path in /proc/sys/kernel/hostname /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/self/oom_score_adj; do echo -17 >$path && echo $path; done 2>/dev/null; true',
    );
    assert.equal(ran.stdout, '');
  });

  it('cannot type into the terminal that it was started from', async function () {
    needProgram(this, '/usr/bin/perl');
    const ran = await room.run([
      '/usr/bin/perl',
      '-e',
      'open(my $t, "+<", "/dev/tty") or print "no terminal "; ioctl(STDIN, 0x5412, my $c = "x") or print $!+0',
    ]);
    assert.equal(ran.stdout, 'no terminal 1');
  });

  it('kills programs for another processor', async function () {
    if (process.arch !== 'x64') {
      console.warn('      skipped: int 0x80 is there on x86-64 alone');
      this.skip();
    }
    needProgram(this, '/usr/bin/gcc');
    const ran = await room.sh(`cat >/tmp/t.c <<'C'
#include <stdio.h>
int main(void) { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); printf("alive %d\\n", r); return 0; }
C
gcc -o /tmp/t /tmp/t.c && /tmp/t`);
    assert.deepEqual({ exitCode: ran.exitCode, stdout: ran.stdout }, { exitCode: 128 + 31, stdout: '' });
  });
});

async function hostView(room: JailRoom): Promise<{ hostId: number }> {
  const { lstat } = await import('node:fs/promises');
  await room.sh('touch owned');
  const { uid } = await lstat(`${room.workspace}/owned`);
  return { hostId: uid };
}
