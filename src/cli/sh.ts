import { lstat, mkdir, realpath, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { createJails } from '../assemble';
import { CancelledError, systemCodeOf, UserError } from '../base/errors';
import type { LimitBreach } from '../core/jail';
import { type JailPolicy, jailPolicySchema, type Mount, workspaceInJail } from '../core/jailPolicy';
import { interruptedExitCode, onSignals } from './interruption';
import { namedToolChains } from './namedToolChains';

export interface ShellOptions {
  readonly workspace: string;
  /** One command line, or `undefined` for a shell on the terminal. */
  readonly command: string | undefined;
  readonly readOnly: boolean;
}

/**
 * What programs of the host run things from, or keep passwords in. The jail sees something empty in their place that it cannot
 * write to, also where there is none: it would be obeyed by the next `git status` outside.
 */
const covered = [
  { name: '.git', kind: 'folder' },
  { name: '.vscode', kind: 'folder' },
  { name: '.envrc', kind: 'file' },
] as const;

/** A person may leave a shell open; everything else is as for any jail. */
const shellWallMs = 24 * 60 * 60_000;

/** Where the system and its users keep what is nobody's project. */
const systemRoots = ['/usr', '/etc', '/bin', '/sbin', '/lib', '/lib64', '/boot', '/dev', '/proc', '/sys', '/run'];
const sharedFolders = ['/', '/home', '/var', '/var/lib', '/var/tmp', '/tmp', '/opt', '/srv', '/mnt', '/media'];

/** As a shell says it of a program that was killed. */
const killedExitCode = 128 + 9;

/**
 * Runs a command, or a shell, in a fresh jail on a folder of the user's. Answers its exit code.
 * @throws {UserError} `jail-unavailable`, `workspace-unsafe`, `not-a-terminal`, …: then nothing was run.
 */
export async function sh(options: ShellOptions): Promise<number> {
  const folder = await workspaceFolder(options.workspace);
  const jails = createJails({ toolChains: namedToolChains(process.env) });
  const stop = new AbortController();
  const release = onSignals(() => stop.abort());
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const { account, mounts } = options.readOnly ? await shown(folder, jails) : await lent(folder, jails, ends);
    const policy = jailPolicySchema.parse({ account, mounts });
    return options.command === undefined
      ? await shell(jails, policy, stop.signal)
      : await runCommand(jails, policy, options.command, stop.signal);
  } finally {
    // Nobody in the jail may be alive when the folder is given back.
    await jails.shutdown();
    for (const end of ends.reverse()) await end();
    release();
  }
}

type Jails = ReturnType<typeof createJails>;

interface Prepared {
  readonly account: string;
  readonly mounts: readonly Mount[];
}

const names = covered.map(({ name }) => name);

async function lent(folder: string, jails: Jails, ends: (() => Promise<unknown>)[]): Promise<Prepared> {
  const loan = await jails.lend(folder, names);
  ends.push(() => loan.giveBack(() => removeMade(folder)));
  for (const { name, kind } of covered) {
    const at = path.join(folder, name);
    const isMade = await isNew(kind === 'folder' ? mkdir(at) : writeFile(at, '', { flag: 'wx' }));
    if (isMade) await utimes(at, madeTime, madeTime);
  }
  return { account: loan.account, mounts: await mountsOf(folder, 'write', jails) };
}

/** The time of what was made here to be covered. Whoever uses the folder last can tell it by that, and what was left by a kill. */
const madeTime = new Date(1000);

async function removeMade(folder: string): Promise<void> {
  for (const { name, kind } of covered) {
    const at = path.join(folder, name);
    const stats = await lstat(at).catch(() => undefined);
    if (stats?.mtimeMs !== madeTime.getTime()) continue;
    if (kind === 'folder') await rmdir(at);
    else if (stats.size === 0) await unlink(at);
  }
}

async function shown(folder: string, jails: Jails): Promise<Prepared> {
  return { account: 'sh-read-only', mounts: await mountsOf(folder, 'read', jails) };
}

async function isNew(making: Promise<unknown>): Promise<boolean> {
  try {
    await making;
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The folder, with something empty over each name that is there and to be covered. */
async function mountsOf(folder: string, access: Mount['access'], jails: Jails): Promise<Mount[]> {
  const empty = await jails.emptyCovers();
  const covers = covered.map(async ({ name }): Promise<Mount[]> => {
    const stats = await lstat(path.join(folder, name)).catch(() => undefined);
    const from = stats?.isDirectory() ? empty.folder : empty.file;
    return stats ? [{ from, at: path.posix.join(workspaceInJail, name), access: 'read' }] : [];
  });
  return [{ from: folder, at: workspaceInJail, access }, ...(await Promise.all(covers)).flat()];
}

async function runCommand(jails: Jails, policy: JailPolicy, command: string, signal: AbortSignal): Promise<number> {
  // Whoever reads the output may stop reading; then the jail is ended and the folder given back, before anything else.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
  const stdoutTo = new Writable({ write: (chunk: Uint8Array, _, done) => void process.stdout.write(chunk, done) });
  const onOutput = (_: string, bytes: Uint8Array): void => void process.stderr.write(bytes);
  const stdin = process.stdin.isTTY ? {} : { stdin: process.stdin };
  try {
    const argv = ['/bin/bash', '-c', command];
    const { exitCode, breach } = await jails.run({ policy, argv, stdoutTo, onOutput, signal, ...stdin });
    return toldExitCode(exitCode, breach);
  } catch (error) {
    if (error instanceof CancelledError) return interruptedExitCode;
    if (systemCodeOf(error) === 'EPIPE') return 0;
    throw error;
  } finally {
    // An open pipe that nobody reads any more would keep this process alive.
    if (!process.stdin.isTTY) process.stdin.destroy();
  }
}

async function shell(jails: Jails, policy: JailPolicy, signal: AbortSignal): Promise<number> {
  const onAbort = (): void => void jails.shutdown();
  signal.addEventListener('abort', onAbort, { once: true });
  const limits = { ...policy.limits, wallMs: shellWallMs };
  const { exitCode, breach } = await jails.shell({ ...policy, limits });
  return toldExitCode(exitCode, breach);
}

function toldExitCode(exitCode: number | null, breach: LimitBreach | null): number {
  if (breach)
    process.stderr.write(`airlock: the jail was ended: ${breach.detail} (${breach.limit})
`);
  return exitCode ?? killedExitCode;
}

/** @throws {UserError} `workspace-unsafe` for what would show the jail more than a project. */
async function workspaceFolder(given: string): Promise<string> {
  const folder = await realpath(given).catch(() => undefined);
  if (folder === undefined || !(await stat(folder)).isDirectory()) {
    throw new UserError('workspace-unsafe', `${given} is no folder. Name one with --workspace.`, { folder: given });
  }
  const isWithin = (inner: string, outer: string): boolean => `${inner}/`.startsWith(outer === '/' ? '/' : `${outer}/`);
  const home = await realpath(homedir()).catch(() => homedir());
  const isSystem = sharedFolders.includes(folder) || systemRoots.some((root) => isWithin(folder, root));
  if (!isSystem && !isWithin(home, folder)) return folder;
  throw new UserError(
    'workspace-unsafe',
    `${folder} ${isSystem ? 'belongs to the system' : 'is your home folder, or holds it'}: a jail on it would protect nothing. ` +
      'Name the folder of one project with --workspace.',
    { folder },
  );
}
