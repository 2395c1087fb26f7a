import * as vscode from 'vscode';
import { z } from 'zod';
import { taskIdSchema, type TaskId } from '../../core/ids';
import { viewIds } from '../ids';
import type { MoveAim } from './taskMoves';
import type { TaskNode } from './taskNode';

/** VS Code gives this type to what is dragged out of the view, and to no other. */
const mimeType = `application/vnd.code.tree.${viewIds.tasks.toLowerCase()}`;
const draggedSchema = z.array(taskIdSchema);

/** Lets queued tasks be dragged to another place in the order. */
export class TaskDrag implements vscode.TreeDragAndDropController<TaskNode> {
  readonly dragMimeTypes = [mimeType];
  readonly dropMimeTypes = [mimeType];

  constructor(
    private readonly canMove: (taskId: TaskId) => boolean,
    private readonly move: (taskIds: readonly TaskId[], aim: MoveAim) => Promise<void>,
  ) {}

  handleDrag(source: readonly TaskNode[], data: vscode.DataTransfer): void {
    const taskIds = source.flatMap((node) => (node.kind === 'task' && this.canMove(node.taskId) ? [node.taskId] : []));
    // Text, for what is dragged may come from another window's extension host.
    if (taskIds.length > 0) data.set(mimeType, new vscode.DataTransferItem(JSON.stringify(taskIds)));
  }

  async handleDrop(target: TaskNode | undefined, data: vscode.DataTransfer): Promise<void> {
    const aim = aimOf(target);
    const text = await data.get(mimeType)?.asString();
    const dragged = text === undefined ? undefined : draggedSchema.safeParse(parsed(text)).data;
    if (aim && dragged && dragged.length > 0) await this.move(dragged, aim);
  }
}

/** On a task: there. On the heading of the queue: before all. On its last row: behind all. Elsewhere: nowhere. */
function aimOf(target: TaskNode | undefined): MoveAim | undefined {
  if (target === undefined) return { kind: 'end' };
  if (target.kind === 'task') return { kind: 'at', taskId: target.taskId };
  if (target.kind === 'scheduled' || target.kind === 'definition' || target.group !== 'queued') return undefined;
  return { kind: target.kind === 'group' ? 'top' : 'end' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
