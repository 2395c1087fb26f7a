import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../src/base/ids';
import type { EgressConnection } from '../../src/core/jail';
import { type JailPolicy, type JailPolicyInput, jailPolicySchema } from '../../src/core/jailPolicy';
import type { ExecOptions, ExecResult, Session, Sessions } from '../../src/core/session';
import { createJails, type LocalJails } from '../../src/jail/jails';
import { createSessions, type SessionsOptions } from '../../src/sessions/sessions';

export const patient: ExecOptions = { timeoutMs: 20_000, maxOutputBytes: 1_000_000 };

/** Real sessions in a folder of their own, all gone after `dispose`. */
export class SessionsFixture {
  readonly jails: LocalJails;
  readonly sessions: Sessions;
  private readonly folders: string[] = [];

  constructor(options: Partial<SessionsOptions> = {}) {
    this.jails = options.jails ?? createJails();
    this.sessions = createSessions({ ...options, jails: this.jails });
  }

  /** A fresh workspace and the policy for it. `state` and `workspace` are folders of the host. */
  async prepare(
    more: Partial<JailPolicyInput> = {},
  ): Promise<{ policy: JailPolicy; state: string; workspace: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'airlock-session-'));
    this.folders.push(folder);
    const workspace = join(folder, 'workspace');
    await mkdir(workspace);
    const account = newId('run');
    await this.jails.handOver(workspace, account);
    const mounts = [{ from: workspace, at: '/workspace', access: 'write' as const }];
    return { policy: jailPolicySchema.parse({ account, mounts, ...more }), state: join(folder, 'session'), workspace };
  }

  async open(
    more: Partial<JailPolicyInput> = {},
    onConnection?: (connection: EgressConnection) => void,
  ): Promise<Session & { readonly stateFolder: string; readonly workspace: string }> {
    const { policy, state, workspace } = await this.prepare(more);
    const session = await this.sessions.open({
      id: newId('session'),
      runId: policy.account,
      policy,
      stateFolder: state,
      ...(onConnection ? { onConnection } : {}),
    });
    return Object.assign(session, { stateFolder: state, workspace });
  }

  async dispose(): Promise<void> {
    await this.sessions.shutdown();
    for (const folder of this.folders) await this.jails.remove(folder);
    await this.jails.shutdown();
  }
}

/** A result in words that are easy to compare. */
export function words(result: ExecResult): { kind: string; exitCode: number | null; stdout: string; stderr: string } {
  const { kind, exitCode } = result;
  return {
    kind,
    exitCode,
    stdout: Buffer.from(result.stdout).toString(),
    stderr: Buffer.from(result.stderr).toString(),
  };
}

export const ok = (stdout: string) => ({ kind: 'exited', exitCode: 0, stdout, stderr: '' });

/** Waits until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > withinMs) throw new Error('It did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What is open in this process: descriptors must not pile up. */
export async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}
