import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JailCommand, JailResult } from '../../src/core/jail';
import { type JailPolicy, type JailPolicyInput, jailPolicySchema } from '../../src/core/jailPolicy';
import type { EgressPorts } from '../../src/jail/egress/destination';
import { createJails, type LocalJails } from '../../src/jail/jails';

/** A real workspace in a real jail, and a folder of the host beside it that the jail must not reach. */
export interface JailRoom {
  readonly jails: LocalJails;
  /** A folder of the host. Everything in it but `workspace` is out of the jail's reach. */
  readonly root: string;
  /** Writable in the jail as `/workspace`. */
  readonly workspace: string;
  policy(changes?: Partial<JailPolicyInput>): JailPolicy;
  /** Runs a program in a jail of its own. */
  run(argv: readonly string[], options?: Partial<JailCommand>): Promise<Ran>;
  /** Runs a shell script in a jail of its own. */
  sh(script: string, options?: Partial<JailCommand>): Promise<Ran>;
  close(): Promise<void>;
}

/** What a command printed, as text. */
export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly result: JailResult;
}

/** @param egress an internet for jails that have a network. */
export async function openJailRoom(egress?: EgressPorts): Promise<JailRoom> {
  const jails = createJails(egress ? { egress } : {});
  const root = await mkdtemp(join(tmpdir(), 'airlock-jail-test-'));
  await chmod(root, 0o755);
  const workspace = join(root, 'workspace');
  await mkdir(workspace);
  await jails.handOver(workspace, 'run-test');
  const policy: JailRoom['policy'] = (changes = {}) =>
    jailPolicySchema.parse({
      account: 'run-test',
      mounts: [{ from: workspace, at: '/workspace', access: 'write' }],
      limits: { wallMs: 15_000 },
      ...changes,
    });
  const run: JailRoom['run'] = async (argv, options = {}) => {
    const result = await jails.run({ policy: policy(), argv, ...options });
    const [stdout, stderr] = [result.stdout, result.stderr].map((bytes) => Buffer.from(bytes).toString());
    return { exitCode: result.exitCode, stdout: stdout ?? '', stderr: stderr ?? '', result };
  };
  return {
    jails,
    root,
    workspace,
    policy,
    run,
    sh: (script, options) => run(['/bin/bash', '-c', script], options),
    async close() {
      await jails.shutdown();
      await jails.remove(root);
    },
  };
}

/** Skips the test, aloud, when a program that it needs is not on this machine. */
export function needProgram(test: Mocha.Context, path: string): void {
  if (spawnSync(path, ['--version']).error === undefined) return;
  console.warn(`      skipped: ${path} is not installed`);
  test.skip();
}

/** Asserts that a command ran to its end without a fault; its output tells why when it did not. */
export function assertSucceeded(ran: Ran): void {
  assert.deepEqual(
    { exitCode: ran.exitCode, stderr: ran.stderr, breach: ran.result.breach },
    { exitCode: 0, stderr: '', breach: null },
  );
}

/** Host processes whose command line holds `mark`. */
export function hostProcesses(mark: string): string[] {
  const found = spawnSync('/usr/bin/pgrep', ['-f', '--', mark], { encoding: 'utf8' });
  return found.stdout.split('\n').filter(Boolean);
}

export async function removeQuietly(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
