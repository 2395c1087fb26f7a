import type { TaskId } from '../core/ids';
import type { TaskState } from '../core/liveState';
import type { Persona } from '../core/persona';
import { runningAgents } from '../core/runningAgents';
import type { ExecutorPorts } from './ports';
import { roleOf } from './roles';
import { routeOf } from './routing';

/** Its persona; without one that is known the user is asked. @param isRouted One that it does not name is chosen by its expertise. */
export async function resolvePersona(
  ports: ExecutorPorts,
  taskId: TaskId,
  isRouted: boolean,
): Promise<Persona | undefined> {
  const task = ports.events.state.tasks.get(taskId);
  if (!task) return undefined;
  if (isRouted && task.spec.persona === null && task.runId === null) await route(ports, task);
  const answer = await roleOf(ports, task);
  if (answer.kind === 'found') return answer.persona;
  await ports.events.append([{ kind: 'task.waiting', taskId, on: 'user', reason: answer.reason }]);
  return undefined;
}

async function route(ports: ExecutorPorts, task: TaskState): Promise<void> {
  const bytes = await ports.blobs.get(task.spec.prompt);
  const text = { title: task.spec.title, prompt: bytes ? Buffer.from(bytes).toString('utf8') : '' };
  const { personas } = await ports.personas.of(task.spec.repo);
  const choice = routeOf(text, personas, runningAgents(ports.events.state));
  await ports.events.append([{ kind: 'task.routed', taskId: task.id, ...choice }]);
}

/** With one repository there is no question which one is meant, unless the source means another one: then the user is asked. */
export async function resolveRepository(ports: ExecutorPorts, task: TaskState): Promise<boolean> {
  if (task.spec.repo !== null) return true;
  const [only, ...others] = ports.repositories();
  const { priority, repoName } = task.spec;
  if (only !== undefined && others.length === 0 && repoName === undefined) {
    await ports.events.append([{ kind: 'task.changed', taskId: task.id, repo: only, priority }]);
    return true;
  }
  const reason = whyNoRepository(only !== undefined, repoName);
  await ports.events.append([{ kind: 'task.waiting', taskId: task.id, on: 'user', reason }]);
  return false;
}

function whyNoRepository(isOneOpen: boolean, repoName: string | undefined): string {
  if (!isOneOpen) return 'No repository is open. Open the folder that the task is for.';
  return repoName === undefined
    ? 'Several repositories are open. Choose the one that the task is for.'
    : `No open repository is called “${repoName}”. Choose the one that the task is for.`;
}
