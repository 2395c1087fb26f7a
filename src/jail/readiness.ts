import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../base/clock';
import { messageOf, UserError } from '../base/errors';
import type { JailReadiness, JailResult } from '../core/jail';
import { jailPolicySchema } from '../core/jailPolicy';
import { detectHost, missing } from './detectHost';
import type { HostFacts } from './hostFacts';
import { runInJail } from './jailRun';
import type { OutputPipes } from './outputPipes';
import type { PrivateFolder } from './privateFolder';
import { readProc } from './procfs';

/** Whether jails work here, and what must be known to build them. */
export type HostProbe =
  | { readonly kind: 'ready'; readonly facts: HostFacts; readonly readiness: JailReadiness }
  | { readonly kind: 'unavailable'; readonly readiness: Extract<JailReadiness, { kind: 'unavailable' }> };

/** The parts of the probe that touch the machine. */
export interface ProbePorts {
  readonly detect: () => Promise<HostFacts>;
  /** Prints `/proc/self/status` from inside a jail. */
  readonly tryJail: (facts: HostFacts) => Promise<JailResult>;
  /** A file below `/proc`, or `undefined`. */
  readonly readProc: (path: string) => string | undefined;
}

const probePolicy = jailPolicySchema.parse({
  account: 'airlock-probe',
  workingDirectory: '/',
  limits: { wallMs: 10_000, outputBytes: 65_536 },
});

/** @param toolChains those that the user has named. */
export function realProbePorts(pipes: OutputPipes, folder: PrivateFolder, toolChains: readonly string[]): ProbePorts {
  const command = { policy: probePolicy, argv: ['/bin/cat', '/proc/self/status'] };
  return {
    detect: async () => detectHost(await mkdtemp(join(await folder.path(), 'etc-')), { toolChains }),
    tryJail: (facts) => runInJail(command, { facts, clock: systemClock, pipes }),
    readProc,
  };
}

/** Looks at the machine and builds one jail, which must come out without any privilege. */
export async function probeHost(ports: ProbePorts): Promise<HostProbe> {
  try {
    const detected = await ports.detect();
    const facts = await tryJail(detected, ports);
    const { bwrapVersion, bwrapPath } = facts;
    return { kind: 'ready', facts, readiness: { kind: 'ready', bwrapVersion, bwrapPath } };
  } catch (error) {
    return { kind: 'unavailable', readiness: unavailable(error) };
  }
}

async function tryJail(facts: HostFacts, ports: ProbePorts): Promise<HostFacts> {
  try {
    requireUnprivileged(await ports.tryJail(facts));
    return facts;
  } catch (error) {
    // Older set-ups cannot switch user namespaces off inside; the filter forbids them anyway.
    if (facts.disableUserns && messageOf(error).includes('max_user_namespaces')) {
      return tryJail({ ...facts, disableUserns: false }, ports);
    }
    throw explain(error, ports.readProc);
  }
}

/** Capabilities gone, no way to gain any, and a filter in force: what `/proc/self/status` must say. */
const expectedStatus = { CapEff: '0000000000000000', CapBnd: '0000000000000000', NoNewPrivs: '1', Seccomp: '2' };

function requireUnprivileged(result: JailResult): void {
  const status = Buffer.from(result.stdout).toString();
  for (const [name, expected] of Object.entries(expectedStatus)) {
    const seen = new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
    if (seen !== expected) {
      throw missing(
        'probe-failed',
        `A trial jail was not tight: ${name} is ${seen ?? 'unknown'} instead of ${expected} (exit code ${result.exitCode}).`,
        'Report this with the output of "airlock doctor --json"; nothing is run meanwhile.',
      );
    }
  }
}

const namespaceErrors = [
  'setting up uid map',
  'No permissions to creat',
  'Creating new namespace failed',
  'creating new namespace',
  'need a kernel with user namespaces',
];

function explain(error: unknown, read: ProbePorts['readProc']): unknown {
  if (error instanceof UserError && error.code !== 'jail-unavailable') return error;
  const detail = messageOf(error);
  if (!namespaceErrors.some((words) => detail.includes(words))) {
    return missing('probe-failed', `A trial jail could not be built: ${detail}`, containerFix, error);
  }
  return missing(
    'no-user-namespaces',
    `This system does not allow user namespaces: ${detail}`,
    namespaceFix(read),
    error,
  );
}

const containerFix =
  'If this is a container, let it create namespaces and mount /proc: for Docker, ' +
  '"--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined".';

function namespaceFix(read: ProbePorts['readProc']): string {
  const setting = (name: string): string | undefined => read(`sys/${name}`)?.trim();
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return (
      'AppArmor keeps programs from using user namespaces (Ubuntu 24.04). Allow bwrap: write the profile ' +
      '"abi <abi/4.0>, include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }" to ' +
      '/etc/apparmor.d/bwrap and run "sudo systemctl reload apparmor"; or, for every program, ' +
      '"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".'
    );
  }
  if (setting('kernel/unprivileged_userns_clone') === '0') {
    return 'Allow them: "sudo sysctl -w kernel.unprivileged_userns_clone=1".';
  }
  if (setting('user/max_user_namespaces') === '0') {
    return 'Allow them: "sudo sysctl -w user.max_user_namespaces=15000".';
  }
  return containerFix;
}

function unavailable(error: unknown): Extract<JailReadiness, { kind: 'unavailable' }> {
  if (!(error instanceof UserError)) {
    return { kind: 'unavailable', code: 'probe-failed', reason: messageOf(error), fix: containerFix };
  }
  return {
    kind: 'unavailable',
    code: error.code,
    reason: error.message,
    fix: String(error.facts['fix'] ?? containerFix),
  };
}
