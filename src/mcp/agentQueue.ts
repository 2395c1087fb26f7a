import { randomUUID } from 'node:crypto';
import { UserError } from '../base/errors';
import { Mutex } from '../base/mutex';
import { summarizeChecks } from '../core/evidence';
import type { Executor } from '../core/executor';
import { isSameOrigin } from '../core/joinedFold';
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

/**
 * What another agent may do with the queue: put tasks in and look, for the repositories that it was named. It decides nothing that
 * is the user's.
 */
export class AgentQueue {
  /** Tasks that come at once are counted one after another. */
  private readonly adding = new Mutex();

  constructor(private readonly queue: ServedQueue) {}

  /** @throws {UserError} `agent-tasks-open`, `unknown-repository`, `key-taken`, and what `Executor.add` throws. */
  add(task: AgentTask): Promise<unknown> {
    return this.adding.run(() => this.addNext(task));
  }

  private async addNext({ title, prompt, checks, repo, persona, key = randomUUID() }: AgentTask): Promise<unknown> {
    const { repositories } = this.queue;
    const chosen = repo ?? repositories[0];
    if (chosen === undefined || !repositories.includes(chosen))
      throw new UserError(
        'unknown-repository',
        `There is no repository ${chosen}; there are: ${repositories.join(', ')}.`,
      );
    const origin = { sourceId: 'user', externalId: `${mark}${key}` };
    return this.queue.ask(async (executor) => {
      const known = [...executor.state.tasks.values()].find(({ spec }) => isSameOrigin(spec.origin, origin));
      if (!known) this.throwIfTooMany(executor);
      else if (!this.shows(known))
        throw new UserError('key-taken', `The key ${key} stands for a task of another repository.`);
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
    return this.queue.ask(async ({ state }) => {
      const shown = [...state.tasks.values()].filter((task) => this.shows(task));
      return shown.reverse().slice(0, maxListed).map(overview);
    });
  }

  /** @throws {UserError} `unknown-task`. */
  get(id: string): Promise<unknown> {
    return this.queue.ask(async (executor) => {
      const task = this.found(executor, id);
      const run = runOf(executor.state, task);
      return { ...overview(task), reason: task.reason, phase: run?.phase ?? null, costUsd: run?.costUsd ?? null };
    });
  }

  /** @throws {UserError} `unknown-task`, `wrong-state`. */
  result(id: string): Promise<unknown> {
    return this.queue.ask(async (executor) => {
      const task = this.found(executor, id);
      if (!isEnded(task.status)) throw new UserError('wrong-state', `${id} is not over: it is ${task.status}.`);
      return resultOf(executor, task);
    });
  }

  private found({ state }: Executor, id: string): TaskState {
    const task = state.tasks.get(id);
    if (!task || !this.shows(task)) throw new UserError('unknown-task', `There is no task ${id}.`);
    return task;
  }

  private shows({ spec }: TaskState): boolean {
    return spec.repo !== null && this.queue.repositories.includes(spec.repo);
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

async function resultOf(executor: Executor, task: TaskState): Promise<unknown> {
  const run = runOf(executor.state, task);
  const files = run?.branch ? (await executor.changes(task.id)).files : [];
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

function overview({ id, status, spec }: TaskState): Record<string, unknown> {
  return { task: id, status, title: spec.title, fromAgent: spec.origin.externalId.startsWith(mark) };
}
