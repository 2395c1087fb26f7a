import type { LiveState, TaskState } from '../core/liveState';
import { isEnded } from '../core/task';

/**
 * The tasks through which a task depends on itself, beginning with it; `undefined` when it does not. Only what is still to be
 * done counts: what has ended waits for nobody.
 */
export function ringOf(state: LiveState, task: TaskState): readonly TaskState[] | undefined {
  const cameFrom = new Map<TaskState, TaskState>();
  // A list of our own: a chain of dependencies may be as long as the queue.
  const pending = [task];
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const id of next.spec.dependsOn) {
      const dependency = state.tasks.get(id);
      if (!dependency || isEnded(dependency.status)) continue;
      if (dependency === task) return wayTo(next, task, cameFrom);
      if (cameFrom.has(dependency)) continue;
      cameFrom.set(dependency, next);
      pending.push(dependency);
    }
  }
  return undefined;
}

function wayTo(last: TaskState, first: TaskState, cameFrom: ReadonlyMap<TaskState, TaskState>): TaskState[] {
  const way = [last];
  for (let task = last; task !== first;) {
    const before = cameFrom.get(task);
    if (!before) break;
    way.unshift(before);
    task = before;
  }
  return way;
}
