import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { Architecture } from '../../../src/jail/hostFacts';
import { seccompFilter } from '../../../src/jail/seccomp/filter';
import { type SyscallName, syscallNumber } from '../../../src/jail/seccomp/syscalls';
import { type SeccompData, runFilter } from './bpfMachine';

const auditArchitecture = { x64: 0xc000003e, arm64: 0xc00000b7 };
const architectures: readonly Architecture[] = ['x64', 'arm64'];

/** EPERM, ENOSYS, EAFNOSUPPORT as the filter answers them. */
const perm = 'errno 1';
const nosys = 'errno 38';
const noFamily = 'errno 97';

for (const architecture of architectures) {
  const decide = (number: number, args: readonly bigint[] = [], data: Partial<SeccompData> = {}): string => {
    const filter = seccompFilter(architecture, { unixSockets: false });
    return runFilter(filter, { number, architecture: auditArchitecture[architecture], args, ...data });
  };
  const call = (name: SyscallName, ...args: bigint[]): string => {
    const number = syscallNumber(name, architecture);
    assert.notEqual(number, null, `${name} exists on ${architecture}`);
    return decide(number ?? -1, args);
  };

  describe(`the seccomp filter of ${architecture}`, () => {
    it('forbids what leads out of a sandbox', () => {
      const names: SyscallName[] = [
        'unshare',
        'setns',
        'ptrace',
        'process_vm_readv',
        'process_vm_writev',
        'pidfd_getfd',
        'bpf',
        'perf_event_open',
        'userfaultfd',
        'mount',
        'umount2',
        'pivot_root',
        'chroot',
        'move_mount',
        'open_tree',
        'fsopen',
        'mount_setattr',
        'add_key',
        'request_key',
        'keyctl',
        'init_module',
        'finit_module',
        'kexec_load',
        'open_by_handle_at',
        'kcmp',
      ];
      assert.deepEqual(
        names.map((name) => [name, call(name)]),
        names.map((name) => [name, perm]),
      );
    });

    it('lets programs fall back where a call is hidden', () => {
      const names: SyscallName[] = [
        'clone3',
        'io_uring_setup',
        'io_uring_enter',
        'io_uring_register',
        'memfd_create',
        'memfd_secret',
      ];
      assert.deepEqual(
        names.map((name) => [name, call(name)]),
        names.map((name) => [name, nosys]),
      );
    });

    it('allows processes and threads, but no new namespaces', () => {
      const thread = 0x3d0f00n;
      const fork = 0x1200011n;
      const namespaces = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n];
      assert.deepEqual(
        [thread, fork].map((flags) => call('clone', flags)),
        ['allow', 'allow'],
      );
      assert.deepEqual(
        namespaces.map((flag) => call('clone', fork | flag)),
        namespaces.map(() => perm),
      );
    });

    it('keeps characters from being pushed into a terminal, whatever the upper half of the argument says', () => {
      const requests = [0x5412n, 0x541cn, 0x5423n, 0x1_0000_5412n, 0xffff_ffff_0000_5412n, 0x5413n];
      assert.deepEqual(
        requests.map((request) => call('ioctl', 0n, request)),
        [perm, perm, perm, perm, perm, 'allow'],
      );
    });

    it('allows sockets of the internet and of routing alone', () => {
      const [stream, dgram, raw, packet, cloexec] = [1n, 2n, 3n, 10n, 0o2000000n];
      assert.deepEqual(
        {
          inet: call('socket', 2n, stream | cloexec, 0n),
          inet6: call('socket', 10n, dgram, 0n),
          raw: call('socket', 2n, raw, 1n),
          raw6: call('socket', 10n, raw | cloexec, 1n),
          oldPacket: call('socket', 2n, packet, 1n),
          packet: call('socket', 17n, raw, 3n),
          unix: call('socket', 1n, stream, 0n),
          vsock: call('socket', 40n, stream, 0n),
          vsockInUpperHalf: call('socket', 0x1_0000_0028n, stream, 0n),
          route: call('socket', 16n, raw | cloexec, 0n),
          audit: call('socket', 16n, raw, 9n),
          bluetooth: call('socket', 31n, raw, 0n),
          alg: call('socket', 38n, 5n, 0n),
        },
        {
          inet: 'allow',
          inet6: 'allow',
          raw: perm,
          raw6: perm,
          oldPacket: perm,
          packet: noFamily,
          unix: noFamily,
          vsock: noFamily,
          vsockInUpperHalf: noFamily,
          route: 'allow',
          audit: noFamily,
          bluetooth: noFamily,
          alg: noFamily,
        },
      );
    });

    it('allows Unix sockets where the policy needs them', () => {
      const number = syscallNumber('socket', architecture) ?? -1;
      const data = { number, architecture: auditArchitecture[architecture], args: [1n, 1n, 0n] };
      assert.equal(runFilter(seccompFilter(architecture, { unixSockets: true }), data), 'allow');
    });

    it('allows no personality but the usual one', () => {
      const personalities = [0n, 0xffffffffn, 0x0040000n, 0x8n];
      assert.deepEqual(
        personalities.map((persona) => call('personality', persona)),
        ['allow', 'allow', perm, perm],
      );
    });

    it('bounds shared segments, in both halves of their size', () => {
      const sizes = [56n, 65_536n, 65_537n, 0x1_0000_0000n];
      assert.deepEqual(
        sizes.map((size) => call('shmget', 0n, size)),
        ['allow', 'allow', perm, perm],
      );
    });

    it('does not know calls that are newer than itself', () => {
      assert.deepEqual(
        [466, 467, 1000, 0x4000_0000 + 1, 0xffff_ffff].map((number) => decide(number)),
        ['allow', nosys, nosys, nosys, nosys],
      );
    });

    it('kills code for another processor', () => {
      assert.equal(decide(1, [], { architecture: 0x40000003 }), 'kill');
    });
  });
}

describe('the numbers of system calls', () => {
  const headers: Record<Architecture, string> = {
    x64: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
    arm64: '/usr/include/asm-generic/unistd.h',
  };
  for (const architecture of architectures) {
    it(`are those of the kernel's header for ${architecture}`, function () {
      const header = headers[architecture];
      if (!existsSync(header)) {
        console.warn(`      skipped: ${header} is not installed`);
        this.skip();
      }
      const wrong = [...readFileSync(header, 'utf8').matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm)].filter(
        ([, name = '', number]) => isKnown(name, architecture) && syscallNumber(name, architecture) !== Number(number),
      );
      assert.deepEqual(
        wrong.map(([line]) => line),
        [],
      );
    });
  }
});

function isKnown(name: string, architecture: Architecture): name is SyscallName {
  try {
    return syscallNumber(name as SyscallName, architecture) !== null;
  } catch {
    return false;
  }
}
