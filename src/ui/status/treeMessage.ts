import type { LiveState, TaskState } from '../../core/liveState';
import { problemsOf, type Surroundings } from './problem';

/**
 * What stands above the rows: why nothing runs at all, or why what is queued does not start. Empty: nothing is in the way.
 * @param hasSchedule The tree has rows of task definitions.
 */
export function treeMessage(state: LiveState, around: Surroundings, hasSchedule: boolean): string {
  // An empty tree has a welcome view that says more than a line can.
  if (state.tasks.size === 0 && !hasSchedule) return '';
  const [worst] = problemsOf(state, around);
  // Where the schedule alone keeps the welcome view away, the line says what that would.
  if (worst && (worst.severity === 'error' || state.tasks.size === 0)) return worst.text;
  const [first] = state.holds.values();
  const held = state.holds.get('disk') ?? first;
  if (held === undefined || state.queueMode !== 'running') return '';
  // What runs was interrupted too when nothing can be kept, though it may be that no event could say so.
  const isHeld = ({ status }: TaskState): boolean =>
    status === 'queued' || (status === 'running' && state.holds.has('disk'));
  return [...state.tasks.values()].some(isHeld) ? breakable(held) : '';
}

/** The path of a folder is broken at its slashes: as one word it would be wider than the view, and cut off with all lines. */
function breakable(text: string): string {
  return text.replaceAll('/', '/\u200B');
}
