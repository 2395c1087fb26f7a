import type { TaskId } from '../../core/ids';

/** Puts `taskIds`, in this order, before a task, or behind all others. */
export interface TaskMove {
  readonly taskIds: readonly TaskId[];
  readonly before: TaskId | null;
}

/** Where tasks are to go in the order that is shown. */
export type MoveAim =
  | { readonly kind: 'up' | 'down' | 'top' | 'end' }
  /** They were dropped on this one: it makes room in the direction that they came from. */
  | { readonly kind: 'at'; readonly taskId: TaskId };

/**
 * The move that brings tasks there, as one block in the order in which they stand. `undefined` when nothing would change.
 * @param order All tasks that can be moved, in their order. What is not among them stays where it is.
 */
export function moveOf(order: readonly TaskId[], moved: readonly TaskId[], aim: MoveAim): TaskMove | undefined {
  const chosen = new Set(moved);
  const taskIds = order.filter((taskId) => chosen.has(taskId));
  const rest = order.filter((taskId) => !chosen.has(taskId));
  if (taskIds.length === 0) return undefined;
  const at = placeOf(order, chosen, aim);
  if (at === undefined) return undefined;
  const result = [...rest.slice(0, at), ...taskIds, ...rest.slice(at)];
  if (result.every((taskId, index) => taskId === order[index])) return undefined;
  return { taskIds, before: rest[at] ?? null };
}

/** How many of those that stay come before them then. */
function placeOf(order: readonly TaskId[], chosen: ReadonlySet<TaskId>, aim: MoveAim): number | undefined {
  const isMoved = (taskId: TaskId): boolean => chosen.has(taskId);
  const restBefore = (end: number): number => order.slice(0, end).filter((taskId) => !isMoved(taskId)).length;
  const first = order.findIndex(isMoved);
  switch (aim.kind) {
    case 'top':
      return 0;
    case 'end':
      return order.length;
    case 'up':
      return Math.max(0, restBefore(first) - 1);
    case 'down':
      return restBefore(order.findLastIndex(isMoved)) + 1;
    case 'at': {
      const target = order.indexOf(aim.taskId);
      if (target < 0 || isMoved(aim.taskId)) return undefined;
      return restBefore(target) + (first < target ? 1 : 0);
    }
  }
}
