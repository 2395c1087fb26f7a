import type { LiveState } from './liveState';
import { isJudged } from './task';

/**
 * True when nothing is queued that could start, nothing runs, no review is about to be queued, every source has been looked at since the executor started,
 * and every report is acknowledged or will never be. What would wait for ever does not count: tasks that wait for the user,
 * reports to a source that the executor
 * does not have now, tasks of a source that is paused, and what is queued while the budget is used up.
 */
export function isIdle(state: LiveState): boolean {
  for (const { status, waitingOn, accepted, spec, reviewer } of state.tasks.values()) {
    if (reviewer !== undefined && isJudged(status)) return false;
    if (status === 'queued' && state.holds.has('budget')) continue;
    if (status === 'queued' && !accepted && state.pausedSources.has(spec.origin.sourceId)) continue;
    if (status === 'queued' || status === 'accepting' || status === 'running' || waitingOn === 'lane') return false;
  }
  for (const { status, report } of state.reports.values()) {
    if (status !== 'dead' && state.sources.has(report.sourceId)) return false;
  }
  for (const { looked } of state.sources.values()) if (!looked) return false;
  return true;
}
