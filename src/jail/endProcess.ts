import { systemCodeOf } from '../base/errors';
import type { ProcessIdentity } from '../core/session';
import { isAlive } from './procfs';

/** Kills that very process, if it still runs. The first process of a jail takes all the others with it. */
export function endProcess(identity: ProcessIdentity): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, 'SIGKILL');
  } catch (error) {
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}

const longestPauseMs = 16;

/**
 * Resolves once that process is dead. Of a jail's first process this means that all of the jail is: the kernel lets it die
 * last.
 */
export async function waitUntilDead(identity: ProcessIdentity): Promise<void> {
  for (let pauseMs = 0; isAlive(identity); pauseMs = Math.min(longestPauseMs, pauseMs * 2 + 1)) {
    // Real time, whatever clock the product runs on: it is the kernel that is waited for.
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
