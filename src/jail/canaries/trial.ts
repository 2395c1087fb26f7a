import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock';
import type { JailProof } from '../../core/jail';
import type { JailPolicy } from '../../core/jailPolicy';
import { proxyEnvironment } from '../egress/forwarder';
import type { HostFacts } from '../hostFacts';
import { processStat } from '../procfs';
import { layLure, type Lure } from './lure';
import { canaryArgv, readSightings } from './program';
import { type CanaryEvidence, judgeCanaries } from './verdict';

/** The canaries of one jail, laid out and waiting. */
export interface CanaryTrial {
  /** To be run in the jail that is to be proven, before anything of the repository. It writes to stdout alone. */
  readonly argv: readonly string[];
  /** Judges by what the host saw. `output` is the program's stdout. */
  judge(output: Uint8Array): Promise<JailProof>;
  /** Takes files and listeners away. */
  dispose(): Promise<void>;
}

/** `PWD`, `SHLVL`, `OLDPWD` and `_` are bash's own. */
const jailVariables = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TERM', 'USER', 'PWD', 'OLDPWD', 'SHLVL', '_'];

function proxyVariables(policy: JailPolicy): string[] {
  return policy.network.kind === 'none' ? [] : Object.keys(proxyEnvironment());
}

const controlTimeoutMs = 10_000;

/** Lays canaries out for a jail of `policy`, and starts the control: the same program on the host, where it must succeed. */
export async function startCanaries(
  policy: JailPolicy,
  clock: Clock,
  { toolChains }: Pick<HostFacts, 'toolChains'>,
): Promise<CanaryTrial> {
  const startedMs = clock.monotonicMs();
  const shown = [...policy.mounts, ...toolChains.flatMap(({ mounts }) => mounts)].map(({ at }) => at);
  const token = randomBytes(16).toString('hex');
  const [inside, outside] = await Promise.all([layLure(shown, token), layLure(shown, token)]);
  const control = runControl(canaryArgv(outside.targets));
  return {
    argv: canaryArgv(inside.targets),
    async judge(output) {
      const controlOutput = await control;
      await connectionsSettle();
      return judgeCanaries(
        await evidenceOf(inside, output),
        await evidenceOf(outside, controlOutput),
        {
          token,
          hasHome: inside.targets.homeEntry !== '',
          hasNetwork: inside.targets.networkAddress !== '',
          hostStartTicks: processStat(process.pid)?.startTicks ?? -1,
          allowedVariables: new Set([
            ...jailVariables,
            ...proxyVariables(policy),
            ...toolChains.flatMap(({ environment }) => Object.keys(environment)),
            ...Object.keys(policy.environment),
          ]),
        },
        clock.monotonicMs() - startedMs,
      );
    },
    async dispose() {
      await control;
      await Promise.all([inside.dispose(), outside.dispose()]);
    },
  };
}

async function evidenceOf(lure: Lure, output: Uint8Array): Promise<CanaryEvidence> {
  return {
    seen: readSightings(output),
    loopbackReached: lure.loopbackReached(),
    networkReached: lure.networkReached(),
    written: await lure.written(),
  };
}

/** The control has a variable of the host's that no jail has: seeing it shows that the canary can see. */
function runControl([program = '', ...rest]: readonly string[]): Promise<Uint8Array> {
  const env = { PATH: '/usr/bin:/bin', AIRLOCK_CANARY: 'control' };
  return new Promise((resolve) => {
    // A control that fails is no error here: without its sightings nothing is proven.
    execFile(program, rest, { env, encoding: 'buffer', timeout: controlTimeoutMs }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}

/** Both programs have ended, so their connections wait to be accepted: one turn of the loop reads them. */
async function connectionsSettle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
