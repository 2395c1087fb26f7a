import type { Disposable } from '../base/disposable';
import { messageOf, UserError } from '../base/errors';
import { newId } from '../base/ids';
import { Mutex } from '../base/mutex';
import type { EventBody } from '../core/events';
import type { TaskId } from '../core/ids';
import {
  maxPromptBytes,
  maxTitleLength,
  newTaskSchema,
  type NewTask,
  type TaskOrigin,
  type TaskSpec,
} from '../core/task';
import type { Offer, OfferedTask, TaskSource } from '../core/source';
import type { ExecutorPorts } from './ports';
import { dependenciesFirst } from './offerOrder';
import { originKey, taskIdFor } from './taskIds';

/** Tasks of this source are the user's own: they are ours as soon as they are queued, and nobody is told. */
export const userSourceId = 'user';

const withdrawn = 'Its source took it back.';

/**
 * Takes tasks in, from the user and from the sources. A task that is delivered twice, by two polls or two sources of the same
 * name, is one task.
 */
export class Intake implements Disposable {
  private readonly known = new Map<string, TaskId>();
  private readonly mutex = new Mutex();
  private ended = false;

  constructor(private readonly ports: ExecutorPorts) {
    for (const task of ports.events.state.tasks.values()) this.known.set(originKey(task.spec.origin), task.id);
  }

  start(): void {
    for (const source of this.ports.sources) {
      source.start({
        offer: (offer) => this.inOrder(() => this.takeOffer(source, offer)),
        health: (health) =>
          this.inOrder(() =>
            this.append([
              {
                kind: 'source.changed',
                sourceId: source.id,
                healthy: health.kind === 'ok',
                message: health.kind === 'ok' ? '' : health.message.slice(0, 1000),
              },
            ]),
          ),
      });
    }
  }

  /** @throws {UserError} `task-invalid`, `task-too-large`, `unknown-dependency`. */
  add(task: NewTask): Promise<TaskId> {
    return this.mutex.run(() => this.queue(task));
  }

  /** What was offered and is not taken yet is offered again at the next start. */
  dispose(): void {
    this.ended = true;
  }

  private inOrder(action: () => Promise<void>): void {
    this.mutex.run(action).catch((error: unknown) => {
      this.ports.logger.error('What a source sent could not be taken in', error);
    });
  }

  private async takeOffer(source: TaskSource, offer: Offer): Promise<void> {
    // It is offered again, and taken when there is room.
    if (this.ports.room.shortage !== undefined) return;
    for (const problem of offer.problems) this.ports.logger.warn(problem, { sourceId: source.id });
    for (const offered of dependenciesFirst(offer.tasks)) {
      if (this.ended) return;
      await this.takeOffered(source, offered);
    }
    for (const rejected of offer.rejected ?? []) {
      const origin = { sourceId: source.id, externalId: rejected.externalId };
      if (this.known.has(originKey(origin))) continue;
      const title = rejected.title.slice(0, maxTitleLength) || 'A task that cannot be worked on';
      await this.queue({ title, prompt: rejected.reason, origin, refusal: rejected.reason });
    }
    if (offer.complete) await this.withdrawMissing(source.id, offer);
  }

  private async takeOffered(source: TaskSource, offered: OfferedTask): Promise<void> {
    const origin = { sourceId: source.id, externalId: offered.externalId };
    const knownId = this.known.get(originKey(origin));
    if (knownId !== undefined) {
      const task = this.ports.events.state.tasks.get(knownId);
      // It was taken back and is on offer again: the same task goes on.
      if (task?.status === 'cancelled' && task.reason === withdrawn) {
        await this.append([{ kind: 'task.requeued', taskId: knownId, reason: '', notBeforeMs: 0 }]);
      }
      return;
    }
    const dependsOn = (offered.dependsOnExternal ?? []).flatMap(
      (externalId) => this.known.get(originKey({ sourceId: source.id, externalId })) ?? [],
    );
    try {
      await this.queue({ ...offered.task, dependsOn: [...(offered.task.dependsOn ?? []), ...dependsOn], origin });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.ports.logger.warn('A task was not taken', {
        ...error.facts,
        taskId: offered.externalId,
        reason: messageOf(error),
      });
    }
  }

  private async withdrawMissing(sourceId: string, offer: Offer): Promise<void> {
    const offered = new Set([...offer.tasks, ...(offer.rejected ?? [])].map((task) => task.externalId));
    const gone: EventBody[] = [];
    for (const task of this.ports.events.state.tasks.values()) {
      const { origin } = task.spec;
      if (origin.sourceId !== sourceId || task.accepted || task.status !== 'queued' || offered.has(origin.externalId))
        continue;
      gone.push({ kind: 'task.ended', taskId: task.id, outcome: 'cancelled', reason: withdrawn, runId: null });
    }
    if (gone.length > 0) await this.append(gone);
  }

  private async queue(input: NewTask): Promise<TaskId> {
    const parsed = newTaskSchema.safeParse(input);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue?.path.join('.') || 'task';
      throw new UserError('task-invalid', `The task cannot be queued: ${where}: ${issue?.message ?? 'invalid'}.`, {
        where,
      });
    }
    const task = parsed.data;
    const promptBytes = Buffer.byteLength(task.prompt);
    if (promptBytes > maxPromptBytes) {
      throw new UserError(
        'task-too-large',
        `The prompt has ${promptBytes} bytes; at most ${maxPromptBytes} are taken. Put large material into files of the repository.`,
        { promptBytes, maxPromptBytes },
      );
    }
    const { state } = this.ports.events;
    const unknown = task.dependsOn.find((id) => !state.tasks.has(id));
    if (unknown !== undefined)
      throw new UserError('unknown-dependency', `There is no task ${unknown} to depend on.`, { unknown });
    const userTaskId = newId('task');
    const origin: TaskOrigin = task.origin ?? { sourceId: userSourceId, externalId: userTaskId };
    const knownId = this.known.get(originKey(origin));
    if (knownId !== undefined) return knownId;
    const taskId = this.freeId(task.origin ? taskIdFor(origin) : userTaskId, origin);
    const spec: TaskSpec = {
      title: task.title,
      prompt: await this.ports.blobs.put(task.prompt),
      priority: task.priority,
      persona: task.persona,
      checks: task.checks,
      limits: task.limits,
      dependsOn: task.dependsOn,
      repo: task.repo,
      ...(task.repoName === undefined ? {} : { repoName: task.repoName }),
      origin,
      context: task.context === null ? null : await this.ports.blobs.put(JSON.stringify(task.context, null, 2)),
      refusal: task.refusal,
    };
    const bodies: EventBody[] = [{ kind: 'task.queued', taskId, spec }];
    if (origin.sourceId === userSourceId) bodies.push({ kind: 'task.accepted', taskId });
    await this.append(bodies);
    this.known.set(originKey(origin), taskId);
    return taskId;
  }

  /** Two sources may use the same id for two tasks: the second one gets a part of its digest behind it. */
  private freeId(id: TaskId, origin: TaskOrigin): TaskId {
    return this.ports.events.state.tasks.has(id) ? taskIdFor({ ...origin, externalId: `${origin.externalId} ` }) : id;
  }

  private async append(bodies: readonly EventBody[]): Promise<void> {
    await this.ports.events.append(bodies);
  }
}
