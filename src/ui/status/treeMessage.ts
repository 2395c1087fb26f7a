import type { LiveState } from '../../core/liveState';
import { problemsOf, type Surroundings } from './problem';

/** What stands above the rows: why nothing runs at all, or why what is queued does not start. Empty: nothing is in the way. */
export function treeMessage(state: LiveState, around: Surroundings): string {
  // An empty tree has a welcome view that says more than a line can.
  if (state.tasks.size === 0) return '';
  const [worst] = problemsOf(state, around);
  if (worst?.severity === 'error') return worst.text;
  const [held] = state.holds.values();
  if (held === undefined || state.queueMode !== 'running') return '';
  return [...state.tasks.values()].some(({ status }) => status === 'queued') ? held : '';
}
