import type { Disposable } from '../base/disposable';
import { messageOf, UserError } from '../base/errors';
import { newId } from '../base/ids';
import { Mutex } from '../base/mutex';
import type { EventBody } from '../core/events';
import type { TaskId } from '../core/ids';
import { isEnded, type NewTask, type TaskOrigin, type TaskSpec } from '../core/task';
import type { TaskState } from '../core/liveState';
import type { Offer, OfferedTask, SourceHealth, TaskSource } from '../core/source';
import type { ExecutorPorts } from './ports';
import { parsedTask, rejectedTask, type Draft, type Shaped } from './drafts';
import { dependenciesFirst } from '../core/offerOrder';
import { outcomeFor } from './joinedReports';
import { originKey, taskIdFor } from './taskIds';
import { TaskKeys } from './taskKeys';

/** Tasks of this source are the user's own: they are ours as soon as they are queued, and nobody is told. */
export const userSourceId = 'user';

/** Its source need not be asked for it. */
export function isOurs(task: TaskState): boolean {
  return task.accepted || task.spec.origin.sourceId === userSourceId;
}

/** So many offered tasks are one group of events, and so many of their prompts are written at the same time. */
const offeredAtOnce = 200;
const blobsAtOnce = 16;

function soleRepository({ repositories }: ExecutorPorts): string | null {
  const [only, ...others] = repositories();
  return others.length === 0 ? (only ?? null) : null;
}

const withdrawn = 'Its source took it back.';

/**
 * Takes tasks in, from the user and from the sources. A task that is delivered twice, by two polls or two sources of the same
 * name, is one task.
 */
export class Intake implements Disposable {
  private readonly known = new Map<string, TaskId>();
  private readonly keys: TaskKeys;
  /** Tasks that are known and not in the journal yet. */
  private readonly unkept = new Set<TaskId>();
  /** By what their source has not offered yet: the tasks that depend on it. */
  private readonly waitedFor = new Map<string, Set<TaskId>>();
  private readonly mutex = new Mutex();
  private started = false;
  private ended = false;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly cancel: (taskId: TaskId, reason: string) => Promise<void> = () => Promise.resolve(),
  ) {
    this.keys = new TaskKeys(() => soleRepository(ports));
    for (const { id, spec, joined = [] } of ports.events.state.tasks.values()) {
      for (const origin of [spec.origin, ...joined.map((one) => one.origin)]) this.known.set(originKey(origin), id);
      this.keys.add(id, spec);
      this.expect(id, spec.origin, spec.dependsOnMissing ?? []);
    }
  }

  start(): void {
    this.started = true;
    for (const source of this.ports.sources) this.begin(source);
  }

  /** Begins to listen to a source that has come; before the start there is nothing to do, for that begins with all of them. */
  begin(source: TaskSource): void {
    if (!this.started) return;
    source.start({
      offer: (offer) => this.inOrder(() => this.takeOffer(source, offer)),
      cancel: (externalId, reason) =>
        this.inOrder(async () => {
          const taskId = this.known.get(originKey({ sourceId: source.id, externalId }));
          if (taskId !== undefined) await this.cancel(taskId, reason);
        }),
      health: (health) => this.inOrder(() => this.noteHealth(source, health)),
    });
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

  private async noteHealth(source: TaskSource, health: SourceHealth): Promise<void> {
    // It was lent, and has been given back.
    if (!this.ports.sources.includes(source)) return;
    const healthy = health.kind !== 'down';
    const message = health.kind === 'ok' ? '' : health.message.slice(0, 1000);
    await this.append([{ kind: 'source.changed', sourceId: source.id, healthy, message }]);
  }

  private async takeOffer(source: TaskSource, offer: Offer): Promise<void> {
    // It is offered again, and taken when there is room.
    if (this.ports.room.shortage !== undefined) return;
    for (const problem of offer.problems) this.ports.logger.warn(problem, { sourceId: source.id });
    const tasks = [
      ...dependenciesFirst(offer.tasks).flatMap((offered) => this.newTaskOf(source, offered) ?? []),
      ...(offer.rejected ?? []).map((rejected) => rejectedTask(source, rejected)),
    ];
    for (let from = 0; from < tasks.length && !this.ended; from += offeredAtOnce) {
      await this.queueTogether(tasks.slice(from, from + offeredAtOnce));
    }
    for (const offered of offer.tasks) await this.join(source, offered);
    await this.takeAgain(source, offer.tasks);
    if (offer.complete && !this.ended) await this.withdrawMissing(source.id, offer);
  }

  /** @returns `undefined` for one that is known. */
  private newTaskOf({ id: sourceId }: TaskSource, offered: OfferedTask): Draft | undefined {
    const origin = { sourceId, externalId: offered.externalId };
    if (this.known.has(originKey(origin)) || this.sameElsewhere(offered.task) !== undefined) return undefined;
    return { input: { ...offered.task, origin }, dependsOnExternal: offered.dependsOnExternal ?? [] };
  }

  private sameElsewhere({ key, localKey, repo = null }: NewTask): TaskId | undefined {
    return this.keys.find({ key, localKey, repo });
  }

  /** What another source has delivered already is that task: this source is told what becomes of it too. */
  private async join({ id: sourceId }: TaskSource, { externalId, task }: OfferedTask): Promise<void> {
    const origin = { sourceId, externalId };
    const taskId = this.known.has(originKey(origin)) ? undefined : this.sameElsewhere(task);
    const known = taskId === undefined ? undefined : this.ports.events.state.tasks.get(taskId);
    if (!known || this.ended) return;
    await this.append([
      { kind: 'task.joined', taskId: known.id, origin },
      ...(isEnded(known.status) ? await outcomeFor(this.ports, known, origin) : []),
    ]);
    this.known.set(originKey(origin), known.id);
  }

  /** What was taken back and is on offer again is the same task, and goes on. */
  private async takeAgain({ id: sourceId }: TaskSource, offered: readonly OfferedTask[]): Promise<void> {
    const bodies = offered.flatMap(({ externalId }): EventBody[] => {
      const taskId = this.known.get(originKey({ sourceId, externalId }));
      const task = taskId === undefined ? undefined : this.ports.events.state.tasks.get(taskId);
      if (task?.status !== 'cancelled' || task.reason !== withdrawn) return [];
      return [{ kind: 'task.requeued', taskId: task.id, reason: '', notBeforeMs: 0 }];
    });
    if (bodies.length > 0) await this.append(bodies);
  }

  /** One group of events for all of them: each alone would wait for the disk by itself. */
  private async queueTogether(drafts: readonly Draft[]): Promise<void> {
    const shaped: Shaped[] = [];
    for (const draft of drafts) {
      try {
        const one = this.shape(draft);
        if (one !== undefined) shaped.push(one);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const taskId = draft.input.origin?.externalId;
        this.ports.logger.warn('A task was not taken', { ...error.facts, taskId, reason: messageOf(error) });
      }
    }
    await this.keep(shaped);
  }

  private async withdrawMissing(sourceId: string, offer: Offer): Promise<void> {
    const offered = new Set([...offer.tasks, ...(offer.rejected ?? [])].map((task) => task.externalId));
    const gone: EventBody[] = [];
    for (const task of this.ports.events.state.tasks.values()) {
      const { origin } = task.spec;
      if (origin.sourceId !== sourceId || task.accepted || offered.has(origin.externalId)) continue;
      if (task.status !== 'queued' && task.status !== 'blocked') continue;
      if (task.joined?.some(({ accepted }) => accepted !== false))
        gone.push({ kind: 'task.handedOn', taskId: task.id });
      else gone.push({ kind: 'task.ended', taskId: task.id, outcome: 'cancelled', reason: withdrawn, runId: null });
    }
    if (gone.length > 0) await this.append(gone);
  }

  private async queue(input: NewTask): Promise<TaskId> {
    const knownId = (input.origin && this.known.get(originKey(input.origin))) ?? this.sameElsewhere(input);
    if (knownId !== undefined) return knownId;
    const shaped = this.shape({ input, dependsOnExternal: [] });
    if (!shaped) throw new Error('A task that is not known was taken for known');
    await this.keep([shaped]);
    return shaped.taskId;
  }

  /**
   * Gives a task its id and its dependencies. It counts as known from here on, so that others may depend on it.
   * @returns `undefined` for one that is known.
   */
  private shape({ input, dependsOnExternal }: Draft): Shaped | undefined {
    const task = parsedTask(input);
    const { state } = this.ports.events;
    const unknown = task.dependsOn.find((id) => !state.tasks.has(id) && !this.unkept.has(id));
    if (unknown !== undefined)
      throw new UserError('unknown-dependency', `There is no task ${unknown} to depend on.`, { unknown });
    const userTaskId = newId('task');
    const origin: TaskOrigin = task.origin ?? { sourceId: userSourceId, externalId: userTaskId };
    const key = originKey(origin);
    if (this.known.has(key)) return undefined;
    const taskId = this.freeId(task.origin ? taskIdFor(origin) : userTaskId, origin);
    const { sourceId } = origin;
    const links = dependsOnExternal.map((externalId) => ({
      externalId,
      id: this.known.get(originKey({ sourceId, externalId })),
    }));
    // Two of one offer: the second joins the first.
    if (this.sameElsewhere(task) !== undefined) return undefined;
    this.known.set(key, taskId);
    this.keys.add(taskId, task);
    this.unkept.add(taskId);
    const found = links.flatMap(({ id }) => id ?? []);
    const missing = links.flatMap(({ id, externalId }) => (id === undefined ? [externalId] : []));
    return { taskId, task, origin, dependsOn: [...new Set([...task.dependsOn, ...found])], missing };
  }

  private async keep(shaped: readonly Shaped[]): Promise<void> {
    try {
      const bodies: EventBody[] = [];
      for (let from = 0; from < shaped.length; from += blobsAtOnce) {
        const specs = await Promise.all(shaped.slice(from, from + blobsAtOnce).map((one) => this.specOf(one)));
        bodies.push(...specs.flat());
      }
      // In the same group, so that no dependent is left behind when the process ends in between.
      bodies.push(...this.linksTo(shaped));
      if (bodies.length > 0) await this.append(bodies);
      for (const { origin, taskId, missing } of shaped) this.expect(taskId, origin, missing);
    } catch (error) {
      for (const { origin, taskId, task } of shaped) {
        this.known.delete(originKey(origin));
        this.keys.forget(taskId, task);
      }
      throw error;
    } finally {
      for (const { taskId } of shaped) this.unkept.delete(taskId);
    }
  }

  private async specOf({ taskId, task, origin, dependsOn, missing }: Shaped): Promise<EventBody[]> {
    const { blobs } = this.ports;
    const { title, priority, persona, checks, limits, repo, repoName, refusal, key, localKey, parent } = task;
    const spec: TaskSpec = {
      title,
      prompt: await blobs.put(task.prompt),
      priority,
      persona,
      checks,
      limits,
      dependsOn: [...dependsOn],
      ...(missing.length === 0 ? {} : { dependsOnMissing: [...missing] }),
      repo,
      ...(repoName === undefined ? {} : { repoName }),
      origin,
      context: task.context === null ? null : await blobs.put(JSON.stringify(task.context, null, 2)),
      ...(task.mcpServers === undefined ? {} : { mcpServers: task.mcpServers }),
      refusal,
      ...(key === undefined ? {} : { key }),
      ...(localKey === undefined ? {} : { localKey }),
      ...(parent === undefined ? {} : { parent }),
    };
    const bodies: EventBody[] = [{ kind: 'task.queued', taskId, spec }];
    if (origin.sourceId === userSourceId) bodies.push({ kind: 'task.accepted', taskId });
    return bodies;
  }

  /** Tasks, earlier ones and of the same offer, that were waiting for these to be offered depend on them from now on. */
  private linksTo(shaped: readonly Shaped[]): EventBody[] {
    const { state } = this.ports.events;
    const dependents = new Map<
      TaskId,
      { dependsOn: readonly TaskId[]; missing: readonly string[]; sourceId: string }
    >();
    for (const { taskId, dependsOn, missing, origin } of shaped) {
      if (missing.length > 0) dependents.set(taskId, { dependsOn, missing, sourceId: origin.sourceId });
    }
    const changed = new Set<TaskId>();
    for (const { taskId, origin } of shaped) {
      for (const id of this.waitedFor.get(originKey(origin)) ?? []) {
        const spec = state.tasks.get(id)?.spec;
        if (!spec || dependents.has(id)) continue;
        const { dependsOn, dependsOnMissing: missing = [] } = spec;
        dependents.set(id, { dependsOn, missing, sourceId: origin.sourceId });
      }
      for (const [id, { dependsOn, missing, sourceId }] of dependents) {
        if (sourceId !== origin.sourceId || !missing.includes(origin.externalId)) continue;
        const stillMissing = missing.filter((externalId) => externalId !== origin.externalId);
        dependents.set(id, { dependsOn: [...dependsOn, taskId], missing: stillMissing, sourceId });
        changed.add(id);
      }
    }
    return [...changed].flatMap((taskId): EventBody[] => {
      const link = dependents.get(taskId);
      if (!link) return [];
      return [{ kind: 'task.linked', taskId, dependsOn: [...link.dependsOn], dependsOnMissing: [...link.missing] }];
    });
  }

  private expect(taskId: TaskId, { sourceId }: TaskOrigin, missing: readonly string[]): void {
    for (const externalId of missing) {
      const key = originKey({ sourceId, externalId });
      this.waitedFor.set(key, (this.waitedFor.get(key) ?? new Set()).add(taskId));
    }
  }

  /** Two sources may use the same id for two tasks: the second one gets a part of its digest behind it. */
  private freeId(id: TaskId, origin: TaskOrigin): TaskId {
    const isTaken = this.ports.events.state.tasks.has(id) || this.unkept.has(id);
    return isTaken ? taskIdFor({ ...origin, externalId: `${origin.externalId} ` }) : id;
  }

  private async append(bodies: readonly EventBody[]): Promise<void> {
    await this.ports.events.append(bodies);
  }
}
