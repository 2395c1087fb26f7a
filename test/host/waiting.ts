import type { Executor } from '../../src/core/executor';
import type { TaskId } from '../../src/core/ids';
import { isEnded, type TaskStatus } from '../../src/core/task';

/** Resolves when the condition holds; looks again at each event. */
export function until(executor: Executor, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return;
      subscription.dispose();
      resolve();
    };
    const subscription = executor.onDidAppend(look);
    look();
  });
}

/** How a task ended, once it has. */
export async function ended(executor: Executor, taskId: TaskId): Promise<TaskStatus> {
  const status = (): TaskStatus => executor.state.tasks.get(taskId)?.status ?? 'queued';
  await until(executor, () => isEnded(status()) || status() === 'waiting');
  return status();
}
