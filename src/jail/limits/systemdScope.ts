import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { JailLimits } from '../../core/jailPolicy';

/** A systemd that gives a jail a cgroup of its own. */
export interface SystemdScope {
  readonly systemdRunPath: string;
  readonly envPath: string;
  /** Where the user's own manager is found (`XDG_RUNTIME_DIR`); `null` for root, who asks the system's. */
  readonly runtimeFolder: string | null;
}

/** bwrap, and what starts it. */
const tasksOfBwrap = 16;
const sharedMemoryBytes = 256 * 1024 ** 2;

/**
 * `command` in a transient scope. The kernel holds it to what all limits of the jail together come to (memory of processes, and
 * the memory folders): the watch ends a jail sooner and says why, and this is for what it cannot see or is too slow for.
 * `command` is started with an empty environment and keeps its process id and its descriptors.
 */
export function inScope(
  command: readonly string[],
  limits: Pick<JailLimits, 'memoryBytes' | 'tmpBytes' | 'processes'>,
  { systemdRunPath, envPath, runtimeFolder }: SystemdScope,
): string[] {
  const memoryBytes = limits.memoryBytes + 2 * limits.tmpBytes + Math.min(sharedMemoryBytes, limits.tmpBytes);
  return [
    ...(runtimeFolder === null ? [] : [envPath, `XDG_RUNTIME_DIR=${runtimeFolder}`]),
    ...[systemdRunPath, ...(runtimeFolder === null ? [] : ['--user']), '--scope', '--quiet', '--collect'],
    ...[`--property=MemoryMax=${memoryBytes}`, '--property=MemorySwapMax=0'],
    ...[`--property=TasksMax=${limits.processes + tasksOfBwrap}`, '--', envPath, '-i', ...command],
  ];
}

/** A machine that was emulated, with a full run of tests beside it, did not answer within 3 s. */
const trialTimeoutMs = 15_000;
const trialLimits = { memoryBytes: 96 * 1024 ** 2, tmpBytes: 1024 ** 2, processes: 100 };
/** What `inScope` makes of them, as the kernel tells it; and that the descriptor came through. */
const trialAnswer = `${99 * 1024 ** 2}\n116\n`;
const trialScript =
  'folder=/sys/fs/cgroup$(/usr/bin/cut -d: -f3 /proc/self/cgroup); /bin/cat "$folder/memory.max" "$folder/pids.max" >&3';

/**
 * Tries a scope, for a systemd that is there may still not be allowed to limit memory.
 * @param folders where systemd shows that it runs, and where cgroups are; they differ in tests alone.
 * @returns `null` when there is none that holds, at once where there is no systemd at all.
 */
export async function probeSystemdScope(
  programs: { readonly systemdRunPath: string | undefined; readonly envPath: string },
  environment: NodeJS.ProcessEnv,
  folders = { systemd: '/run/systemd/system', cgroups: '/sys/fs/cgroup/cgroup.controllers' },
): Promise<SystemdScope | null> {
  const { systemdRunPath, envPath } = programs;
  const isThere = await Promise.all([folders.systemd, folders.cgroups].map(exists));
  if (systemdRunPath === undefined || isThere.includes(false)) return null;
  const runtimeFolder = process.geteuid?.() === 0 ? null : environment['XDG_RUNTIME_DIR'];
  if (runtimeFolder === undefined) return null;
  const scope = { systemdRunPath, envPath, runtimeFolder };
  return (await answerOf(inScope(['/bin/sh', '-c', trialScript], trialLimits, scope))) === trialAnswer ? scope : null;
}

async function answerOf([program = '', ...rest]: readonly string[]): Promise<string> {
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const;
  const child = spawn(program, rest, { cwd: '/', env: {}, stdio: [...stdio], timeout: trialTimeoutMs });
  const failed = new Promise<string>((resolve) => child.once('error', () => resolve('')));
  const answer = child.stdio[3];
  return answer instanceof Readable ? Promise.race([text(answer).catch(() => ''), failed]) : failed;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
