import type { LiveState } from './liveState';

/**
 * True when nothing is queued that could start, nothing runs, every source has been looked at since the executor started,
 * and every report is acknowledged or will never be. Tasks that wait for the user do not count: they would wait for ever.
 */
export function isIdle(state: LiveState): boolean {
  for (const { status } of state.tasks.values()) {
    if (status === 'queued' || status === 'accepting' || status === 'running') return false;
  }
  for (const { status } of state.reports.values()) if (status !== 'dead') return false;
  for (const { looked } of state.sources.values()) if (!looked) return false;
  return true;
}
