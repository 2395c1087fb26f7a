import { isTaskNode, type TaskNode } from '../tasks/taskNode';

/**
 * The rows that a command was chosen for in a menu of the tree: VS Code hands over the clicked row and, when several are
 * selected and it is among them, all of them. `undefined`: the command comes from elsewhere. Of a tree that is just being
 * made anew VS Code hands over nothing, in the same two places: then the selected rows are not what was clicked.
 */
export function clickedRows(args: readonly unknown[]): readonly TaskNode[] | undefined {
  if (args[0] === undefined && args.length < 2) return undefined;
  return Array.isArray(args[1]) ? args[1].filter(isTaskNode) : [];
}
