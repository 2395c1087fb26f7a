import type { TaskId } from '../../core/ids';
import type { Executor } from '../../core/executor';
import type { ExecutorLink } from '../executorLink';
import type { TaskList } from '../tasks/taskList';
import { type MoveAim, moveOf } from '../tasks/taskMoves';
import type { CommandAction, SteeringActions } from './commandActions';
import { requireTrust } from './queueActions';

/** What the user does to the order, to single tasks, to sources and to reports. */
export function steeringActions(link: ExecutorLink, tasks: TaskList): SteeringActions {
  const each = (action: (executor: Executor, taskId: TaskId) => Promise<void>): CommandAction => {
    return async ({ taskIds }) => {
      const executor = await link.ready();
      await Promise.all(taskIds.map((taskId) => action(executor, taskId)));
    };
  };
  const move = (kind: 'up' | 'down' | 'top'): CommandAction => {
    return ({ taskIds }) => moveTasks(link, tasks, taskIds, { kind });
  };
  return {
    pauseTask: each((executor, taskId) => executor.pauseTask(taskId)),
    resumeTask: each((executor, taskId) => {
      requireTrust();
      return executor.resumeTask(taskId);
    }),
    moveTaskUp: move('up'),
    moveTaskDown: move('down'),
    moveTaskToTop: move('top'),
    sendReportAgain: each((executor, taskId) => executor.retryReport(taskId)),
    pauseSource: async ({ sourceId }) => {
      if (sourceId !== null) await (await link.ready()).pauseSource(sourceId);
    },
    resumeSource: async ({ sourceId }) => {
      if (sourceId !== null) await (await link.ready()).resumeSource(sourceId);
    },
  };
}

/** One after another: each is put before the same task, so that they keep their order. */
export async function moveTasks(
  link: ExecutorLink,
  tasks: TaskList,
  taskIds: readonly TaskId[],
  aim: MoveAim,
): Promise<void> {
  const executor = await link.ready();
  const order = tasks.idsOf('queued').filter((taskId) => tasks.abilitiesOf(taskId).has('move'));
  const move = moveOf(order, taskIds, aim);
  for (const taskId of move?.taskIds ?? []) await executor.moveTask(taskId, move?.before ?? null);
}
