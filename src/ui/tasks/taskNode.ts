import { z } from 'zod';
import { taskIdSchema } from '../../core/ids';
import { taskGroups } from './taskGroup';

const taskNodeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('group'), group: z.enum(taskGroups) }),
  z.object({ kind: z.literal('task'), taskId: taskIdSchema }),
  /** The row at the end of a page. */
  z.object({ kind: z.literal('more'), group: z.enum(taskGroups) }),
  /** The group of what starts by itself. */
  z.object({ kind: z.literal('scheduled') }),
  /** A task definition, by the path of its file. */
  z.object({ kind: z.literal('definition'), path: z.string() }),
]);

/** An element of the tree. The same thing is always the same object, so that VS Code knows it again. */
export type TaskNode = Readonly<z.infer<typeof taskNodeSchema>>;

export function isTaskNode(value: unknown): value is TaskNode {
  return taskNodeSchema.safeParse(value).success;
}
