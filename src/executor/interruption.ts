import { assertNever } from '../base/errors';

/**
 * Why a run is being ended from outside, as the reason of its `AbortSignal`.
 * - `cancel`: the user does not want the task; it ends as cancelled.
 * - `stop`: the queue was stopped; the run goes back into the queue and goes on where it was.
 * - `disk`: what it does cannot be kept; it goes back into the queue and goes on when it can.
 * - `shutdown`: the executor ends; the run goes on at the next start.
 * - `timeout`: its time is up; it ends as failed.
 * - `lost`: its source has given it to somebody else; it ends as cancelled, and that source is told nothing.
 */
export type Interruption = 'cancel' | 'stop' | 'disk' | 'shutdown' | 'timeout' | 'lost';

export const lostReason = 'Its source took it back and gave it to somebody else.';

export class RunInterrupted extends Error {
  override readonly name = 'RunInterrupted';
  constructor(readonly interruption: Interruption) {
    super(describe(interruption));
  }
}

export function interruptionOf(signal: AbortSignal): Interruption | undefined {
  if (!signal.aborted) return undefined;
  const reason: unknown = signal.reason;
  return reason instanceof RunInterrupted ? reason.interruption : 'shutdown';
}

function describe(interruption: Interruption): string {
  switch (interruption) {
    case 'cancel':
      return 'The task was cancelled.';
    case 'stop':
      return 'The queue was stopped.';
    case 'disk':
      return 'The storage takes nothing more.';
    case 'shutdown':
      return 'Airlock is ending.';
    case 'lost':
      return lostReason;
    case 'timeout':
      return 'The run took longer than it may.';
    default:
      return assertNever(interruption);
  }
}
