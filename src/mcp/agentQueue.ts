import { randomUUID } from 'node:crypto';
import { UserError } from '../base/errors';
import { summarizeChecks } from '../core/evidence';
import type { Executor } from '../core/executor';
import { runOf, type TaskState } from '../core/liveState';
import { isEnded } from '../core/task';
import type { ServedQueue } from './serveMcp';

/** What an agent's tasks are known by, among the user's. */
const mark = 'agent:';
const maxListed = 100;
const maxFiles = 500;

export interface AgentTask {
  readonly title: string;
  readonly prompt: string;
  readonly checks?: readonly string[] | undefined;
  readonly repo?: string | undefined;
  readonly persona?: string | undefined;
  readonly key?: string | undefined;
}

/** What another agent may do with the queue: put tasks in and look. It decides nothing that is the user's. */
export class AgentQueue {
  constructor(private readonly queue: ServedQueue) {}

  /** @throws {UserError} `agent-tasks-open`, `unknown-repository`, and what `Executor.add` throws. */
  async add({ title, prompt, checks, repo, persona, key = randomUUID() }: AgentTask): Promise<unknown> {
    const { repositories } = this.queue;
    const chosen = repo ?? repositories[0];
    if (chosen === undefined || !repositories.includes(chosen))
      throw new UserError(
        'unknown-repository',
        `There is no repository ${chosen}; there are: ${repositories.join(', ')}.`,
      );
    const origin = { sourceId: 'user', externalId: `${mark}${key}` };
    return this.queue.ask(async (executor) => {
      const known = [...executor.state.tasks.values()].find(({ spec }) => spec.origin.externalId === origin.externalId);
      if (!known) this.throwIfTooMany(executor);
      const task = await executor.add({
        title,
        prompt,
        priority: 2,
        checks: checks && checks.length > 0 ? [...checks] : null,
        persona: persona ?? null,
        repo: chosen,
        origin,
        limits: this.queue.maxCostUsd === null ? {} : { maxCostUsd: this.queue.maxCostUsd },
        context: { queued_by: 'another agent, over MCP: it has no authority of the user' },
      });
      return { task };
    });
  }

  list(): Promise<unknown> {
    return this.queue.ask(async ({ state }) => [...state.tasks.values()].reverse().slice(0, maxListed).map(overview));
  }

  /** @throws {UserError} `unknown-task`. */
  get(id: string): Promise<unknown> {
    return this.queue.ask(async (executor) => {
      const task = found(executor, id);
      const run = runOf(executor.state, task);
      return { ...overview(task), reason: task.reason, phase: run?.phase ?? null, costUsd: run?.costUsd ?? null };
    });
  }

  /** @throws {UserError} `unknown-task`, `wrong-state`. */
  result(id: string): Promise<unknown> {
    return this.queue.ask((executor) => resultOf(executor, id));
  }

  private throwIfTooMany({ state }: Executor): void {
    const { maxOpen } = this.queue;
    const open = [...state.tasks.values()].filter(
      ({ spec, status }) => spec.origin.externalId.startsWith(mark) && !isEnded(status),
    );
    if (open.length >= maxOpen)
      throw new UserError(
        'agent-tasks-open',
        `${open.length} tasks of agents are open; no more than ${maxOpen} may be.`,
      );
  }
}

async function resultOf(executor: Executor, id: string): Promise<unknown> {
  const task = found(executor, id);
  if (!isEnded(task.status)) throw new UserError('wrong-state', `${id} is not over: it is ${task.status}.`);
  const run = runOf(executor.state, task);
  const files = run?.branch ? (await executor.changes(id)).files : [];
  return {
    ...overview(task),
    reason: task.reason,
    verdict: run?.verdict ?? null,
    branch: run?.branch ?? null,
    checks: summarizeChecks(run?.checks ?? []).map(({ command, onResult }) => ({
      command,
      exitCode: onResult?.exitCode ?? null,
    })),
    files: files.slice(0, maxFiles).map(({ path }) => path),
  };
}

function found({ state }: Executor, id: string): TaskState {
  const task = state.tasks.get(id);
  if (!task) throw new UserError('unknown-task', `There is no task ${id}.`);
  return task;
}

function overview({ id, status, spec }: TaskState): Record<string, unknown> {
  return { task: id, status, title: spec.title, fromAgent: spec.origin.externalId.startsWith(mark) };
}
