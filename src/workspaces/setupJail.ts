import type { PreparationOptions, SetupConfig, SetupEnd } from '../core/dependencies';
import type { Jails, JailResult } from '../core/jail';
import { jailPolicySchema, workspaceInJail } from '../core/jailPolicy';
import { cacheEnvironment, cacheMount } from './caches';

/** What a setup may use up beside its time. */
const limits = {
  processes: 1024,
  fileBytes: 4 * 1024 ** 3,
  tmpBytes: 2 * 1024 ** 3,
  diskBytes: 16 * 1024 ** 3,
  outputBytes: 1024 ** 2,
};

/** What package managers would ask the network for and nobody here reads, and what would have them wait for an answer. */
const quiet = {
  CI: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  npm_config_logs_max: '0',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
};

/**
 * Each command has a shell of its own; home, `/tmp` and the workspace stay from one to the next. Node trusts a list of its own,
 * and behind a company's proxy only the system's has what is needed.
 */
const script = String.raw`authorities=/etc/ssl/certs/ca-certificates.crt
if [ -r $authorities ]; then export NODE_EXTRA_CA_CERTS=$authorities; fi
for command do printf '$ %s\n' "$command"; /bin/bash -c "$command" || exit; done`;

export interface SetupJailOptions {
  readonly account: string;
  /** The checkout that the commands run on, and the cache that they may write to. Both are the account's. */
  readonly checkout: string;
  readonly cache: string;
  readonly watch: Pick<PreparationOptions, 'onOutput' | 'onConnection' | 'signal'>;
}

/** Runs the commands of a setup in one jail. @throws {CancelledError} */
export async function runSetup(jails: Jails, setup: SetupConfig, options: SetupJailOptions): Promise<SetupEnd> {
  const { account, checkout, cache } = options;
  const { onOutput, onConnection, signal } = options.watch;
  const result = await jails.run({
    policy: jailPolicySchema.parse({
      account,
      mounts: [{ from: checkout, at: workspaceInJail, access: 'write' }, cacheMount(cache)],
      network: setup.network.length === 0 ? { kind: 'none' } : { kind: 'allowlist', domains: setup.network },
      environment: { ...quiet, ...cacheEnvironment },
      limits: { ...limits, wallMs: setup.timeoutMs },
    }),
    argv: ['/bin/bash', '-c', script, 'setup', ...setup.commands],
    ...(onOutput ? { onOutput: (_stream, bytes) => onOutput(bytes) } : {}),
    ...(onConnection ? { onConnection } : {}),
    ...(signal ? { signal } : {}),
  });
  return {
    problem: problemOf(result),
    exitCode: result.exitCode,
    output: result.output,
    durationMs: result.durationMs,
  };
}

function problemOf({ breach, exitCode, signal }: JailResult): string | null {
  if (breach) return breach.limit === 'wallMs' ? 'timeout' : `${breach.limit}: ${breach.detail}`;
  if (exitCode === null) return `ended by ${signal ?? 'something unknown'}`;
  return exitCode === 0 ? null : `exit code ${exitCode}`;
}

/** Programs whose version decides what a setup makes of the same lock files. */
const programs =
  'node npm pnpm yarn bun deno python3 pip uv poetry cargo rustc go ruby bundle java mvn gradle php composer dotnet elixir dart cc';

const toolScript = `uname -sm
cat /etc/os-release
for name in ${programs}; do at=$(command -v "$name") && stat -Lc '%n %s %Y' -- "$at"; done
true`;

/** What a jail of this machine builds with: system, architecture, and which programs are there, by path, size and time. */
export async function toolChainOf(jails: Jails): Promise<string> {
  const { stdout } = await jails.run({
    policy: jailPolicySchema.parse({ account: 'airlock-tools', workingDirectory: '/', limits: { wallMs: 10_000 } }),
    argv: ['/bin/sh', '-c', toolScript],
  });
  return Buffer.from(stdout).toString();
}
