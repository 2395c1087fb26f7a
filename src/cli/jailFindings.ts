import { createJails } from '../assemble';
import { messageOf } from '../base/errors';
import type { Canary, JailProof } from '../core/jail';
import { jailPolicySchema } from '../core/jailPolicy';
import type { Finding } from './doctor';
import { namedToolChains } from './namedToolChains';

const policy = jailPolicySchema.parse({ account: 'doctor', workingDirectory: '/tmp' });

/** Whether jails can be had here, what they see of the user's tool chains, and what came of trying to get out of one. */
export async function jailFindings(): Promise<Finding[]> {
  const jails = createJails({ toolChains: namedToolChains(process.env) });
  try {
    const readiness = await jails.readiness();
    if (readiness.kind === 'unavailable') {
      return [{ what: 'bubblewrap', state: 'bad', seen: readiness.reason, fix: readiness.fix }];
    }
    const { bwrapVersion, bwrapPath } = readiness;
    const { toolChains } = await jails.facts();
    return [
      { what: 'bubblewrap', state: 'good', seen: `${bwrapVersion} at ${bwrapPath}`, fix: '' },
      toolChainFinding(toolChains),
      proofFinding(await jails.prove(policy)),
    ];
  } catch (error) {
    const fix = 'Nothing runs until a jail can be had.';
    return [{ what: 'jail', state: 'bad', seen: messageOf(error), fix }];
  } finally {
    await jails.shutdown();
  }
}

type ToolChains = Awaited<ReturnType<ReturnType<typeof createJails>['facts']>>['toolChains'];

function toolChainFinding(toolChains: ToolChains): Finding {
  const details = toolChains.map(({ name, programs }) => `${name}: ${programs.join(', ')}`);
  const seen =
    details.length === 0
      ? "the system's own alone; jails see /usr and no other"
      : `${details.length} besides the system's own, read-only in every jail`;
  return { what: 'tool chains', state: 'good', seen, fix: '', details };
}

/** @internal exported for its test */
export function proofFinding({ proven, canaries }: JailProof): Finding {
  const held = canaries.filter(isContained).length;
  return {
    what: 'jail proof',
    state: proven ? 'good' : 'bad',
    seen: `${held} of ${canaries.length} attempts to get out were contained`,
    fix: proven
      ? ''
      : 'Nothing runs in a jail that does not hold. Mend what is marked, and run "airlock doctor" again.',
    details: canaries.map(wordsOf),
  };
}

function isContained({ held, controlSucceeded }: Canary): boolean {
  return held && controlSucceeded;
}

function wordsOf(canary: Canary): string {
  const { attempt, expected, seen, held, controlSucceeded } = canary;
  const sign = isContained(canary) ? '✔' : '✘';
  const blind = held && !controlSucceeded ? '; it proves nothing, for outside a jail it failed too' : '';
  return `${sign} ${attempt}: expected ${expected}, seen ${seen}${blind}`;
}
