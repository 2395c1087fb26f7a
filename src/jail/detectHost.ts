import { execFile } from 'node:child_process';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { UserError } from '../base/errors';
import { accountIds, parseIdMap } from './account';
import { makeEtcFolder } from './etcFolder';
import type { Architecture, HardLimits, HostFacts, HostMode, SystemFolder } from './hostFacts';
import { hostSockets } from './hostSockets';
import { probeSystemdScope } from './limits/systemdScope';
import { findProgram } from './findProgram';
import { detectToolChains } from './toolChains/detection';
import { coversAt } from './toolChains/kinds';

const run = promisify(execFile);

/** The system's own folders come first: a program of the same name in the user's home must not build the jail. */
const trustedPath = '/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin';

/** bwrap 0.8 is the first with `--disable-userns`, and the oldest that is tested. */
const oldestBwrap = [0, 8, 0] as const;

const installSystemTools =
  'Install util-linux and coreutils: "sudo apt install util-linux coreutils", "sudo dnf install util-linux coreutils".';

/** Configuration beside the system's programs, where an administrator may have put a token for all users. */
const privateInSystem = ['/usr/etc', '/usr/local/etc'].flatMap((folder) =>
  ['npmrc', 'gitconfig', 'pip.conf', 'yarnrc'].map((name) => `${folder}/${name}`),
);

export interface DetectOptions {
  /** Whose `PATH` and `HOME` say where tool chains are. Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Tool chains that the user has named. */
  readonly toolChains?: readonly string[];
}

/**
 * Looks at this machine, without starting a jail, and makes the `/etc` of its jails in the empty folder
 * `etcFolder`. `disableUserns` is what is hoped for; the probe finds out.
 * @throws {UserError} with a code of `JailReadiness` and, as the fact `fix`, what to do.
 */
export async function detectHost(etcFolder: string, options: DetectOptions = {}): Promise<HostFacts> {
  const environment = options.environment ?? process.env;
  if (process.platform !== 'linux') {
    throw missing(
      'not-linux',
      `Jails need Linux; this is ${process.platform}.`,
      'Open the folder in WSL 2, in a dev container or on a Linux machine through Remote-SSH, and run Airlock there.',
    );
  }
  const architecture = supportedArchitecture(process.arch);
  const searchPath = `${trustedPath}:${environment['PATH'] ?? ''}`;
  const program = (name: string): Promise<string> => requireProgram(name, searchPath);
  const bwrapPath = await findBwrap(searchPath);
  // The disk watch measures with it: without it that limit would not be kept.
  await program('du');
  await makeEtcFolder(etcFolder);
  const envPath = await program('env');
  const systemdRunPath = await findProgram('systemd-run', trustedPath);
  return {
    bwrapPath,
    bwrapVersion: await bwrapVersion(bwrapPath),
    prlimitPath: await program('prlimit'),
    setprivPath: await program('setpriv'),
    envPath,
    perlPath: await findPerl(),
    architecture,
    mode: await hostMode(),
    disableUserns: true,
    systemFolders: await systemFolders(),
    etcFolder,
    systemCovers: await coversAt(privateInSystem),
    ...(await detectToolChains(environment, options.toolChains)),
    hostSockets: hostSockets(),
    scope: await probeSystemdScope({ systemdRunPath, envPath }, environment),
    hardLimits: parseHardLimits(await readFile('/proc/self/limits', 'utf8')),
  };
}

export function missing(code: string, message: string, fix: string, cause?: unknown): UserError {
  return new UserError(code, message, { fix }, { cause });
}

function supportedArchitecture(name: string): Architecture {
  if (name === 'x64' || name === 'arm64') return name;
  throw missing(
    'unknown-architecture',
    `There is no system-call filter for this processor (${name}).`,
    'Run Airlock on an x86-64 or arm64 machine.',
  );
}

async function findBwrap(searchPath: string): Promise<string> {
  const path = await findProgram('bwrap', searchPath);
  if (path !== undefined) return path;
  throw missing(
    'no-bwrap',
    'Bubblewrap (bwrap) is not installed.',
    'Install it: "sudo apt install bubblewrap" (Debian, Ubuntu), "sudo dnf install bubblewrap" (Fedora), "sudo pacman -S bubblewrap" (Arch).',
  );
}

async function requireProgram(name: string, searchPath: string): Promise<string> {
  const path = await findProgram(name, searchPath);
  if (path !== undefined) return path;
  throw missing(
    'probe-failed',
    `The program "${name}" is not installed; a jail cannot be built without it.`,
    installSystemTools,
  );
}

/** Some distributions have perl in parts; the forwarder needs its sockets. */
async function findPerl(): Promise<string | null> {
  const path = await findProgram('perl', '/usr/bin');
  if (path === undefined) return null;
  const works = run(path, ['-MIO::Socket::INET', '-MIO::Socket::UNIX', '-MPOSIX', '-e', '1'], { env: {} });
  return works.then(
    () => path,
    () => null,
  );
}

async function bwrapVersion(bwrapPath: string): Promise<string> {
  const { stdout } = await run(bwrapPath, ['--version'], { env: {} });
  const version = /(\d+)\.(\d+)\.(\d+)/.exec(stdout);
  if (version && !isOlder(version.slice(1).map(Number))) return version[0];
  throw missing(
    'bwrap-too-old',
    `Bubblewrap is too old (${stdout.trim()}); ${oldestBwrap.join('.')} is the oldest that works.`,
    'Install a newer one: Debian 12, Ubuntu 24.04 and Fedora 38 have it.',
  );
}

/** @internal exported for its test */
export function isOlder(version: readonly number[], oldest: readonly number[] = oldestBwrap): boolean {
  const at = oldest.findIndex((part, index) => part !== version[index]);
  return at !== -1 && (version[at] ?? 0) < (oldest[at] ?? 0);
}

/** chown, dac_override, fowner, kill, setgid, setuid, setpcap, net_admin, sys_admin: what a jail without user namespace takes. */
const neededCapabilities = [0, 1, 3, 5, 6, 7, 8, 12, 21];

async function hostMode(): Promise<HostMode> {
  if (process.geteuid?.() !== 0) return { kind: 'user' };
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const mayDoAll = neededCapabilities.every((capability) => (effective >> BigInt(capability)) & 1n);
  const [uids, gids] = await Promise.all(
    ['uid_map', 'gid_map'].map(async (name) => accountIds(parseIdMap(await readFile(`/proc/self/${name}`, 'utf8')))),
  );
  if (!mayDoAll || !uids || !gids) return { kind: 'user' };
  return { kind: 'privileged', ids: uids.count <= gids.count ? uids : gids };
}

async function systemFolders(): Promise<SystemFolder[]> {
  const found = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].map(
    async (path): Promise<SystemFolder[]> => {
      const stats = await lstat(path).catch(() => undefined);
      if (stats?.isSymbolicLink()) return [{ kind: 'link', path, target: await readlink(path) }];
      return stats?.isDirectory() ? [{ kind: 'folder', path }] : [];
    },
  );
  return (await Promise.all(found)).flat();
}

/** @internal exported for its test */
export function parseHardLimits(limits: string): HardLimits {
  const hard = (name: string): number => {
    const value = new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, 'm').exec(limits)?.[1];
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return {
    processes: hard('Max processes'),
    dataBytes: hard('Max data size'),
    fileBytes: hard('Max file size'),
    openFiles: hard('Max open files'),
    cpuSeconds: hard('Max cpu time'),
  };
}
