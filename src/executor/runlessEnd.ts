import type { TaskState } from '../core/liveState';
import type { ExecutorPorts } from './ports';
import { endOfTask } from './taskRun';

/** Ends a task that has no slot. */
export async function endWithoutRun(
  ports: ExecutorPorts,
  task: TaskState,
  outcome: 'cancelled' | 'failed',
  reason: string,
): Promise<void> {
  const run = task.runId === null ? undefined : ports.events.state.runs.get(task.runId);
  const open = run && run.outcome === null ? run : undefined;
  await ports.events.append([
    ...(open ? [{ kind: 'run.ended', runId: open.id, outcome, reason } as const] : []),
    ...(await endOfTask(ports, task, open, { outcome, reason, response: '' })),
  ]);
}
