import type { JailProof } from '../core/jail';
import type { SessionFiles } from '../core/session';
import type { CanaryTrial } from '../jail/canaries/trial';

const canaryTimeoutMs = 15_000;
const canaryOutputBytes = 256 * 1024;

/** Runs the canaries in the session's own jail and lets the host judge them. */
export async function proofOf(files: SessionFiles, trial: CanaryTrial): Promise<JailProof> {
  const options = { timeoutMs: canaryTimeoutMs, maxOutputBytes: canaryOutputBytes };
  return trial.judge((await files.run(trial.argv, options)).stdout);
}

/** What got through, or had no control to show that it could be seen. */
export function failedCanaries({ canaries }: JailProof): string {
  return canaries
    .filter((canary) => !canary.held || !canary.controlSucceeded)
    .map(({ attempt, seen, held }) => `${attempt}: ${held ? 'its control outside failed' : seen}`)
    .join('; ');
}
