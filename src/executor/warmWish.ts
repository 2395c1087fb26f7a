import type { RunState, TaskState } from '../core/liveState';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import { roleOf } from './roles';
import { narrowed, wallMsOf } from './runSession';
import { compareTasks } from './taskOrder';
import type { WarmWish } from './warmStart';

/**
 * What the next task of a repository will want, as far as can be told now: that of the next one in the queue that starts from
 * what is checked out, or else the same as the one that has just started.
 */
export async function wishOfNext(ports: ExecutorPorts, settings: ExecutorSettings, now: WarmWish): Promise<WarmWish> {
  const { state } = ports.events;
  const isOpen = (run: RunState | undefined): boolean => run !== undefined && run.outcome === null;
  const [next] = [...state.tasks.values()]
    .filter(({ status, spec, runId }) => {
      const mayCome = status === 'queued' && spec.refusal === null && spec.dependsOn.length === 0;
      return mayCome && spec.repo === now.repo && !isOpen(runId === null ? undefined : state.runs.get(runId));
    })
    .sort(compareTasks);
  const { base: _, ...same } = now;
  return next ? ((await wishOf(ports, settings, now.repo, next)) ?? same) : same;
}

async function wishOf(
  ports: ExecutorPorts,
  settings: ExecutorSettings,
  repo: string,
  task: TaskState,
): Promise<WarmWish | undefined> {
  const role = await roleOf(ports, task);
  if (role.kind === 'unknown') return undefined;
  const persona = narrowed(role.persona, task.spec.limits);
  return { repo, persona, wallMs: wallMsOf(task, role.persona, settings) };
}
