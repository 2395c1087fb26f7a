import type { TaskState } from '../../core/liveState';
import { isEnded, type TaskOutcome } from '../../core/task';
import type { TaskDefinition } from './definitionSchema';
import { formatStartKey, parseStartKey } from './startKey';

/** What trying again may mend. */
function mayPass(outcome: string): boolean {
  return outcome === 'failed' || outcome === 'contradicted';
}

/** The retry that is due of the latest start of a definition, as an external id; `null` for none. */
export function dueRetry({ task }: TaskDefinition, known: readonly TaskState[], nowMs: number): string | null {
  const latest = known.at(-1);
  const key = latest && parseStartKey(latest.spec.origin.externalId);
  if (!latest || !key || !isEnded(latest.status) || !mayPass(latest.status)) return null;
  if (key.retry >= task.max_retries) return null;
  const backoffMs = task.retry_backoff_seconds * 1000 * 2 ** key.retry;
  return nowMs >= (latest.endedAtMs ?? nowMs) + backoffMs ? formatStartKey({ ...key, retry: key.retry + 1 }) : null;
}

/** False while a failure will be tried again. */
export function isLastTry({ task }: TaskDefinition, externalId: string, outcome: TaskOutcome): boolean {
  const retry = parseStartKey(externalId)?.retry ?? 0;
  return !mayPass(outcome) || retry >= task.max_retries;
}
