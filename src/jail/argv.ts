import { UserError } from '../base/errors';
import type { JailLimits, JailPolicy } from '../core/jailPolicy';
import { idOfAccount } from './account';
import { egressInJail, forwarderArgv, proxyEnvironment } from './egress/forwarder';
import { accountFiles, accountFolderInJail, homeInJail, hostnameInJail, userInJail } from './etcFiles';
import type { Cover, HostFacts } from './hostFacts';
import { inScope } from './limits/systemdScope';
import { isWithin } from '../base/pathWithin';
import { seccompFilter } from './seccomp/filter';

/** What differs between a jail for one command and a jail for a session. */
export interface InvocationOptions {
  /**
   * A terminal session of its own, so that nothing inside can reach the terminal that started it. A jail whose terminal is
   * a pty of ours must not have it: without the pty as controlling terminal there is no Ctrl-C and no job control.
   */
  readonly newSession: boolean;
  /** The jail lives long enough for a cgroup of its own, where there can be one: to make it takes longer than a jail. */
  readonly longLived?: boolean;
  /** `TERM` inside. Default `dumb`. */
  readonly terminal?: string;
  /** The folder of the host with the socket of this jail's egress proxy. A policy with a network needs one. */
  readonly egressFolder?: string;
}

/** Bytes that bwrap reads from a descriptor. */
export interface DescriptorInput {
  readonly fd: number;
  readonly bytes: Uint8Array;
}

/**
 * How to start one jail. The caller spawns `bwrapPath` with `argv`, an **empty environment**, every one of `inputs` readable
 * on its descriptor, `statusFd` writable, and nothing else open above 2.
 */
export interface BwrapInvocation {
  /** bwrap itself, or what becomes it in the same process once it has a cgroup. */
  readonly bwrapPath: string;
  /** Holds no path of the host: the jail can read it as `/proc/1/cmdline`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, never>>;
  readonly inputs: readonly DescriptorInput[];
  /**
   * There bwrap says, in JSON documents, first `child-pid` (the host's pid of the jail's first process, whose death ends
   * every other), and in the end `exit-code`, unless the jail could not be built.
   */
  readonly statusFd: number;
  /** The id that the jail runs as on the host, or `null` for the user's own. */
  readonly hostId: number | null;
}

/** The id that an ordinary user has inside; on the host it is the user's own. */
const mappedId = 1000;
const firstFd = 3;
/** So much later than the watch the kernel ends a process, for it would not say which limit it was. */
const cpuMarginSeconds = 2;
/** Size of `/dev/shm`. */
const sharedMemoryBytes = 256 * 1024 ** 2;
/**
 * Set-up steps of a privileged jail run as root until `setpriv` has made them the account, which takes the first three. The
 * last lets bwrap enter a working directory that is the account's alone.
 */
const keptCapabilities = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_DAC_READ_SEARCH'];

/**
 * The jail of `policy` on this machine, around `command`, a program by absolute path and its arguments. A pure function: the
 * same policy and facts give the same arguments, environment, descriptors and seccomp filter. That the mounts exist is
 * checked by `checkMounts` beforehand.
 * @throws {UserError} `network-unavailable` when the policy asks for a network that cannot be given here.
 */
export function bwrapInvocation(
  policy: JailPolicy,
  facts: HostFacts,
  command: readonly string[],
  options: InvocationOptions,
): BwrapInvocation {
  const egress = egressOf(policy, facts, options);
  const hostId = facts.mode.kind === 'privileged' ? idOfAccount(policy.account, facts.mode.ids) : null;
  const inputs: DescriptorInput[] = [];
  const addInput = (content: string | Uint8Array): string => {
    const fd = firstFd + inputs.length;
    inputs.push({ fd, bytes: typeof content === 'string' ? Buffer.from(content) : content });
    return String(fd);
  };
  const argsFd = addInput('');
  const seccompFd = addInput(seccompFilter(facts.architecture, { unixSockets: !showsSocket(policy, facts) }));
  const setUp = [
    ...isolation(facts, options),
    ...system(facts),
    ...etc(facts, hostId ?? mappedId, addInput),
    ...memoryFolders(policy.limits),
    ...toolChains(facts),
    ...mounts(policy),
    ...(egress ? ['--perms', '0755', '--dir', egressInJail, '--ro-bind', egress.folder, egressInJail] : []),
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...environment(facts, options.terminal ?? 'dumb', egress ? proxyEnvironment() : {}),
    ...['--chdir', policy.workingDirectory],
  ];
  inputs[0] = { fd: firstFd, bytes: Buffer.from(setUp.map((word) => `${word}\0`).join('')) };
  const statusFd = firstFd + inputs.length;
  const bwrap = [
    ...[facts.bwrapPath, '--args', argsFd, '--seccomp', seccompFd, '--json-status-fd', String(statusFd), '--'],
    ...limited(policy.limits, facts),
    ...unprivileged(facts, hostId),
    ...(egress ? forwarderArgv(egress.perlPath) : []),
    ...withEnvironment(policy, facts),
    ...command,
  ];
  const scoped = options.longLived && facts.scope ? inScope(bwrap, policy.limits, facts.scope) : bwrap;
  const [bwrapPath = facts.bwrapPath, ...argv] = scoped;
  return {
    bwrapPath,
    argv,
    env: {},
    inputs,
    statusFd,
    hostId,
  };
}

interface Egress {
  readonly folder: string;
  readonly perlPath: string;
}

/** A way out that could not be had is never silently left away, nor one that would lead to more than the proxy. */
function egressOf(policy: JailPolicy, facts: HostFacts, { egressFolder }: InvocationOptions): Egress | undefined {
  if (policy.network.kind === 'none') return undefined;
  const unavailable = (why: string): UserError =>
    new UserError(
      'network-unavailable',
      `The jail was to have a network, and ${why} Or set the network policy to "none".`,
      { account: policy.account },
    );
  if (egressFolder === undefined) throw unavailable('this kind of jail cannot be given one.');
  if (facts.perlPath === null)
    throw unavailable(
      'there is no whole /usr/bin/perl to forward to the proxy. Install perl (on Fedora also perl-IO and perl-Socket).',
    );
  if (showsSocket(policy, facts)) {
    throw unavailable(
      'a folder that it sees holds a Unix socket of the host, which it could then connect to. Remove it.',
    );
  }
  return { folder: egressFolder, perlPath: facts.perlPath };
}

/**
 * Programs talk to their own over Unix sockets (tsx, Python's process pools, databases), and those of the host's network are
 * out of reach. But one of the host's that lies in a mounted folder could be connected to, so that there it has none.
 */
function showsSocket(policy: JailPolicy, facts: HostFacts): boolean {
  return facts.hostSockets.some((socket) => policy.mounts.some((mount) => isWithin(socket, mount.from)));
}

function isolation(facts: HostFacts, options: InvocationOptions): string[] {
  const user = [
    '--unshare-user',
    ...(facts.disableUserns ? ['--disable-userns'] : []),
    '--uid',
    `${mappedId}`,
    '--gid',
    `${mappedId}`,
  ];
  const kept = keptCapabilities.flatMap((capability) => ['--cap-add', capability]);
  return [
    ...(facts.mode.kind === 'user' ? user : []),
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--cap-drop', 'ALL', ...(facts.mode.kind === 'privileged' ? kept : [])],
    ...['--die-with-parent', '--hostname', hostnameInJail, '--clearenv'],
    ...(options.newSession ? ['--new-session'] : []),
  ];
}

function system(facts: HostFacts): string[] {
  const shown = facts.systemFolders.flatMap((folder) =>
    folder.kind === 'link' ? ['--symlink', folder.target, folder.path] : ['--ro-bind', folder.path, folder.path],
  );
  return [...shown, ...covers(facts.systemCovers)];
}

function etc(facts: HostFacts, id: number, addInput: (text: string) => string): string[] {
  return [
    ...['--ro-bind', facts.etcFolder, '/etc', '--perms', '0755', '--dir', accountFolderInJail],
    ...accountFiles(id).flatMap(({ name, text }) => [
      ...['--perms', '0444', '--file', addInput(text), `${accountFolderInJail}/${name}`],
    ]),
  ];
}

/** The account owns none of them on a host where it is an id of its own, so anyone may write: nobody else is in there. */
function memoryFolders(limits: JailLimits): string[] {
  const sized = (bytes: number, path: string, mode: string): string[] => [
    ...['--perms', mode, '--size', String(bytes), '--tmpfs', path],
  ];
  return [
    ...['--proc', '/proc', '--dev', '/dev'],
    ...sized(Math.min(sharedMemoryBytes, limits.tmpBytes), '/dev/shm', '1777'),
    ...sized(limits.tmpBytes, '/tmp', '1777'),
    ...folders([homeInJail]),
    ...sized(limits.tmpBytes, homeInJail, '0777'),
  ];
}

function toolChains(facts: HostFacts): string[] {
  const all = facts.toolChains.flatMap((toolChain) => toolChain.mounts);
  const covered = facts.toolChains.flatMap((toolChain) => toolChain.covered);
  return [
    ...folders(all.map((mount) => mount.at)),
    ...all.flatMap((mount) => ['--ro-bind', mount.from, mount.at]),
    ...covers(covered),
  ];
}

/** A device cannot be opened in a jail's mounts, so that even to try says nothing of the file below it. */
function covers(covered: readonly Cover[]): string[] {
  return covered.flatMap(({ kind, path }) =>
    kind === 'file' ? ['--ro-bind', '/dev/null', path] : ['--perms', '0555', '--size', '4096', '--tmpfs', path],
  );
}

function mounts(policy: JailPolicy): string[] {
  return policy.mounts.flatMap((mount, index) => {
    const earlier = policy.mounts.slice(0, index);
    const nested = earlier.some((outer) => isWithin(mount.at, outer.at));
    return [
      ...(nested ? [] : folders([mount.at])),
      ...[mount.access === 'write' ? '--bind' : '--ro-bind', mount.from, mount.at],
    ];
  });
}

/** The folders above each path, for bwrap makes those that are missing with mode 0700, which the account could not enter. */
function folders(paths: readonly string[]): string[] {
  const above = new Set(paths.flatMap(foldersAbove));
  return [...above].flatMap((path) => ['--perms', '0755', '--dir', path]);
}

function foldersAbove(path: string): string[] {
  const names = path
    .split('/')
    .filter((name) => name !== '')
    .slice(0, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

function environment(facts: HostFacts, terminal: string, more: Readonly<Record<string, string>>): string[] {
  const variables: Record<string, string> = {
    PATH: facts.searchPath.join(':'),
    HOME: homeInJail,
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    TERM: terminal,
    USER: userInJail,
    ...more,
  };
  for (const toolChain of facts.toolChains) Object.assign(variables, toolChain.environment);
  return Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]);
}

/** As root the limits are lowered before the account is taken on; no limit can be raised above the host's own. */
function limited(limits: JailLimits, { prlimitPath, hardLimits }: HostFacts): string[] {
  const limit = (name: string, wanted: number, most: number): string => {
    const value = Math.min(wanted, most);
    return `--${name}=${value}:${value}`;
  };
  return [
    prlimitPath,
    limit('nproc', limits.processes, hardLimits.processes),
    limit('data', limits.dataBytes, hardLimits.dataBytes),
    limit('fsize', limits.fileBytes, hardLimits.fileBytes),
    limit('nofile', limits.openFiles, hardLimits.openFiles),
    limit('cpu', Math.ceil(limits.cpuMs / 1000) + cpuMarginSeconds, hardLimits.cpuSeconds),
    '--core=0:0',
    '--',
  ];
}

/** On a privileged host the jail's first program turns from root into the account, for good. */
function unprivileged(facts: HostFacts, hostId: number | null): string[] {
  if (hostId === null) return [];
  return [
    ...[facts.setprivPath, '--reuid', String(hostId), '--regid', String(hostId), '--clear-groups'],
    ...['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs', '--'],
  ];
}

/**
 * The policy's variables are set last, by a program that is already the account: `LD_PRELOAD` among them would otherwise
 * run its library as root.
 */
function withEnvironment(policy: JailPolicy, facts: HostFacts): string[] {
  const variables = Object.entries(policy.environment).map(([name, value]) => `${name}=${value}`);
  return variables.length === 0 ? [] : [facts.envPath, '--', ...variables];
}
