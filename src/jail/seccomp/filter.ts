import type { Architecture } from '../hostFacts';
import { type Instruction, assemble } from './bpf';
import { newestKnownSyscall, type SyscallName, syscallNumber } from './syscalls';

/** `AUDIT_ARCH_*` of `linux/audit.h`. */
const auditArchitecture: Record<Architecture, number> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

/** Offsets in `struct seccomp_data`. Of an argument only the low half is read: the kernel takes these as 32-bit integers. */
const dataOffset = { number: 0, architecture: 4, argument: (index: number): number => 16 + 8 * index } as const;

const errno = { perm: 1, nosys: 38, afnosupport: 97 } as const;

/** `SECCOMP_RET_*` of `linux/seccomp.h`. */
const verdict = {
  allow: 0x7fff_0000,
  killProcess: 0x8000_0000,
  fail: (errorNumber: number): number => 0x0005_0000 | errorNumber,
} as const;

/** Fails with EPERM: nothing that builds or tests a program needs them, and each has been a way out of a sandbox. */
const forbidden: readonly SyscallName[] = [
  'unshare',
  'setns',
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'pidfd_getfd',
  'kcmp',
  'process_madvise',
  'process_mrelease',
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
  'fsconfig',
  'fsmount',
  'fspick',
  'mount_setattr',
  'statmount',
  'listmount',
  'swapon',
  'swapoff',
  'reboot',
  'sethostname',
  'setdomainname',
  'iopl',
  'ioperm',
  'modify_ldt',
  'create_module',
  'init_module',
  'finit_module',
  'delete_module',
  'get_kernel_syms',
  'query_module',
  'kexec_load',
  'kexec_file_load',
  'acct',
  'quotactl',
  'quotactl_fd',
  'settimeofday',
  'clock_settime',
  'clock_adjtime',
  'adjtimex',
  'syslog',
  'lookup_dcookie',
  'nfsservctl',
  'open_by_handle_at',
  'fanotify_init',
  'vhangup',
  'uselib',
  'sysfs',
  '_sysctl',
  'migrate_pages',
  'move_pages',
  'add_key',
  'request_key',
  'keyctl',
];

/**
 * Fails with ENOSYS, as on an older kernel, so that programs fall back to something else: `clone3` hides its flags from
 * the filter, and memory of `memfd` is in no process's resident set, where the memory watchdog could see it.
 */
const absent: readonly SyscallName[] = [
  'clone3',
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
  'memfd_create',
  'memfd_secret',
];

/** Every `CLONE_NEW*` flag that `clone` knows: mount, cgroup, uts, ipc, user, pid, net. */
const newNamespaces = 0x7e02_0000;

/** `PER_LINUX`, and the question which personality it is. All others switch hardening such as address randomisation off. */
const harmlessPersonalities = [0, 0xffff_ffff];

/** Pushing characters into a terminal (TIOCSTI, TIOCLINUX), and loading a line discipline (TIOCSETD). */
const forbiddenIoctls = [0x5412, 0x541c, 0x5423];

/** Judged by their arguments, each at the label of its name. */
const weighed: readonly SyscallName[] = ['ioctl', 'clone', 'socket', 'personality', 'shmget'];

const family = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;
const socketTypeMask = 0xf;
const rawSocketTypes = [3, 10];

/** A System V segment may have 64 KiB: all 4,096 of a namespace are then 256 MiB, which no resident set shows either. */
const maxSharedSegmentBytes = 64 * 1024;

export interface FilterOptions {
  /** `socket(AF_UNIX)` may be called. `socketpair` always may: pipes between a program and its children are made of it. */
  readonly unixSockets: boolean;
}

const made = new Map<string, Uint8Array>();

/**
 * The seccomp filter of a jail as the kernel reads it. Calls that it does not know, because they are newer than the filter,
 * do not exist in the jail (ENOSYS); that covers x86-64's x32 calls too. Code for another processor is killed.
 */
export function seccompFilter(architecture: Architecture, options: FilterOptions): Uint8Array {
  const key = `${architecture} ${options.unixSockets}`;
  const filter = made.get(key) ?? makeFilter(architecture, options);
  made.set(key, filter);
  return filter;
}

function makeFilter(architecture: Architecture, options: FilterOptions): Uint8Array {
  const on = (name: SyscallName, label: string): Instruction[] => {
    const number = syscallNumber(name, architecture);
    return number === null ? [] : [{ kind: 'jump', when: 'equal', value: number, then: label }];
  };
  return assemble([
    { kind: 'load', offset: dataOffset.architecture },
    { kind: 'jump', when: 'equal', value: auditArchitecture[architecture], otherwise: 'kill' },
    { kind: 'load', offset: dataOffset.number },
    { kind: 'jump', when: 'atLeast', value: newestKnownSyscall + 1, then: 'absent' },
    ...weighed.flatMap((name) => on(name, name)),
    ...forbidden.flatMap((name) => on(name, 'forbidden')),
    ...absent.flatMap((name) => on(name, 'absent')),
    { kind: 'return', value: verdict.allow },
    ...argumentRules(options),
    { kind: 'label', name: 'allowed' },
    { kind: 'return', value: verdict.allow },
    { kind: 'label', name: 'forbidden' },
    { kind: 'return', value: verdict.fail(errno.perm) },
    { kind: 'label', name: 'absent' },
    { kind: 'return', value: verdict.fail(errno.nosys) },
    { kind: 'label', name: 'noFamily' },
    { kind: 'return', value: verdict.fail(errno.afnosupport) },
    { kind: 'label', name: 'kill' },
    { kind: 'return', value: verdict.killProcess },
  ]);
}

function argumentRules({ unixSockets }: FilterOptions): Instruction[] {
  const argument = (index: number): Instruction => ({ kind: 'load', offset: dataOffset.argument(index) });
  const when = (value: number, then: string, otherwise?: string): Instruction => ({
    kind: 'jump',
    when: 'equal',
    value,
    then,
    ...(otherwise === undefined ? {} : { otherwise }),
  });
  return [
    { kind: 'label', name: 'ioctl' },
    argument(1),
    ...forbiddenIoctls.map((request) => when(request, 'forbidden')),
    { kind: 'return', value: verdict.allow },
    { kind: 'label', name: 'clone' },
    argument(0),
    { kind: 'and', mask: newNamespaces },
    when(0, 'allowed', 'forbidden'),
    { kind: 'label', name: 'personality' },
    argument(0),
    ...harmlessPersonalities.map((persona) => when(persona, 'allowed')),
    { kind: 'return', value: verdict.fail(errno.perm) },
    { kind: 'label', name: 'shmget' },
    argument(1),
    { kind: 'jump', when: 'atLeast', value: maxSharedSegmentBytes + 1, then: 'forbidden' },
    { kind: 'load', offset: dataOffset.argument(1) + 4 },
    when(0, 'allowed', 'forbidden'),
    { kind: 'label', name: 'socket' },
    argument(0),
    ...(unixSockets ? [when(family.unix, 'allowed')] : []),
    when(family.netlink, 'netlink'),
    when(family.inet, 'internet'),
    when(family.inet6, 'internet', 'noFamily'),
    // Of netlink only routing is left: it is how programs list the interfaces that they have.
    { kind: 'label', name: 'netlink' },
    argument(2),
    when(0, 'allowed', 'noFamily'),
    { kind: 'label', name: 'internet' },
    argument(1),
    { kind: 'and', mask: socketTypeMask },
    ...rawSocketTypes.map((type) => when(type, 'forbidden')),
    { kind: 'return', value: verdict.allow },
  ];
}
