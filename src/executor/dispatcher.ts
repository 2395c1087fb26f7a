import { DisposableStore, type Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { EventBody } from '../core/events';
import type { TaskId } from '../core/ids';
import type { TaskState } from '../core/liveState';
import { SourceUnreachableError } from '../core/source';
import { isEnded } from '../core/task';
import { userSourceId } from './intake';
import { RunInterrupted, type Interruption } from './interruption';
import type { LaneGovernor } from './laneGovernor';
import type { ExecutorPorts, ExecutorSettings, SessionRegistry } from './ports';
import { treatmentOf } from './retryPolicy';
import { compareTasks, readinessOf, type Readiness } from './taskOrder';
import { endOfTask, TaskRun } from './taskRun';

/** How long nothing new is started after nothing could be kept, and nothing is asked of a source that could not be asked. */
const pauseMs = 10_000;

interface Slot {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * Gives tasks to slots: priority, then age; never more than `concurrency` at a time. A slot is taken before a task's source is
 * asked for it and held until its run has ended, so that never more is accepted than there is room for.
 */
export class Dispatcher implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly slots = new Map<TaskId, Slot>();
  /** Tasks that are just being ended from outside. */
  private readonly withheld = new Set<TaskId>();
  /** Tasks that the user wants before all others, even while the queue is paused. */
  private readonly urgent = new Set<TaskId>();
  private wakeUp: Disposable | undefined;
  private pausedUntilMs = 0;
  /** Sources that could not be asked, and until when they are left alone, in monotonic time. */
  private readonly sourcesHeldUntilMs = new Map<string, number>();
  private scheduled = false;
  private ended = false;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly lanes: LaneGovernor,
    private readonly registry: SessionRegistry,
  ) {}

  start(): void {
    this.disposables.add(this.ports.events.onDidAppend(() => this.pump()));
    this.pump();
  }

  /** True when no task is being worked on. */
  get isIdle(): boolean {
    return this.slots.size === 0;
  }

  /** True while `taskId` has a slot. */
  isWorking(taskId: TaskId): boolean {
    return this.slots.has(taskId);
  }

  runSoon(taskId: TaskId): void {
    this.urgent.add(taskId);
    this.pump();
  }

  /** Something has changed that no event tells of. */
  wake(): void {
    this.pump();
  }

  /** Ends the work on one task and resolves when its slot is free. */
  async interrupt(taskId: TaskId, interruption: Interruption): Promise<void> {
    this.urgent.delete(taskId);
    const slot = this.slots.get(taskId);
    slot?.abort.abort(new RunInterrupted(interruption));
    await slot?.done;
  }

  /** While `action` runs, the task gets no slot. */
  async withhold(taskId: TaskId, action: () => Promise<void>): Promise<void> {
    this.withheld.add(taskId);
    try {
      await action();
    } finally {
      this.withheld.delete(taskId);
      this.pump();
    }
  }

  async interruptAll(interruption: Interruption): Promise<void> {
    await Promise.all([...this.slots.keys()].map((taskId) => this.interrupt(taskId, interruption)));
  }

  /** Starts nothing more. What runs goes on until it is interrupted. */
  dispose(): void {
    this.ended = true;
    this.wakeUp?.dispose();
    this.disposables.dispose();
  }

  /** Looks soon, once for all that happened together, whether something can start. */
  private pump(): void {
    if (this.scheduled || this.ended) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (!this.ended) this.fillSlots();
    });
  }

  private fillSlots(): void {
    this.wakeUp?.dispose();
    this.wakeUp = undefined;
    const leftMs = this.pausedUntilMs - this.ports.clock.monotonicMs();
    if (leftMs > 0) return this.wakeIn(leftMs);
    if (this.ports.room.shortage !== undefined || this.slots.size >= this.settings.concurrency) return;
    const nowMs = this.ports.clock.nowMs();
    let nextMs = Infinity;
    this.reviewBlocked(nowMs);
    const held = this.heldBySource();
    for (const task of this.candidates()) {
      if (this.slots.size >= this.settings.concurrency) break;
      const readiness = this.readinessNow(task, nowMs, held);
      switch (readiness.kind) {
        case 'ready':
          if (!isOurs(task)) held.set(task.spec.origin.sourceId, (held.get(task.spec.origin.sourceId) ?? 0) + 1);
          this.begin(task);
          break;
        case 'later':
          nextMs = Math.min(nextMs, readiness.atMs);
          break;
        case 'blocked':
          this.hold(task.id, readiness.reason);
          break;
        case 'waits':
          break;
      }
    }
    if (nextMs < Infinity) this.wakeIn(nextMs - nowMs);
  }

  private readinessNow(task: TaskState, nowMs: number, held: ReadonlyMap<string, number>): Readiness {
    if (!this.urgent.has(task.id)) {
      const readiness = readinessOf(this.ports.events.state, task, nowMs);
      if (readiness.kind !== 'ready') return readiness;
    }
    if (isOurs(task)) return { kind: 'ready' };
    const { sourceId } = task.spec.origin;
    const heldUntilMs = this.sourcesHeldUntilMs.get(sourceId) ?? 0;
    const leftMs = heldUntilMs - this.ports.clock.monotonicMs();
    if (leftMs > 0) return { kind: 'later', atMs: nowMs + leftMs };
    if (task.status === 'accepting' || (held.get(sourceId) ?? 0) < this.settings.concurrency) return { kind: 'ready' };
    return { kind: 'waits', reason: 'What its source has given already comes first.' };
  }

  /**
   * By source, the tasks that it believes to be in work here, those included that wait for the user or for their next try.
   * While there are as many as slots, it is not asked for another one: somebody else may have a slot for it.
   */
  private heldBySource(): Map<string, number> {
    const held = new Map<string, number>();
    for (const { id, accepted, status, spec } of this.ports.events.state.tasks.values()) {
      const { sourceId } = spec.origin;
      const isHeld = !isEnded(status) && (accepted || status === 'accepting' || this.slots.has(id));
      if (isHeld && sourceId !== userSourceId) held.set(sourceId, (held.get(sourceId) ?? 0) + 1);
    }
    return held;
  }

  /** What may get a slot, the most urgent first. A running task without a slot lost it when nothing could be kept. */
  private candidates(): TaskState[] {
    const { state } = this.ports.events;
    const isOpen = (task: TaskState): boolean =>
      (task.status === 'queued' || task.status === 'running' || task.status === 'accepting') &&
      !this.slots.has(task.id) &&
      !this.withheld.has(task.id) &&
      (state.queueMode === 'running' || this.urgent.has(task.id));
    return [...state.tasks.values()]
      .filter(isOpen)
      .sort((a, b) => Number(this.urgent.has(b.id)) - Number(this.urgent.has(a.id)) || compareTasks(a, b));
  }

  private begin(task: TaskState): void {
    const abort = new AbortController();
    const done = this.work(task, abort.signal)
      .catch((error: unknown) => {
        this.pausedUntilMs = this.ports.clock.monotonicMs() + pauseMs;
        if (treatmentOf(error) === 'pause') {
          this.ports.logger.error('Nothing more can be kept, so nothing new is started until it can', error);
        } else {
          this.ports.logger.error('A task could not be started', error, { taskId: task.id });
        }
      })
      .finally(() => {
        this.slots.delete(task.id);
        this.urgent.delete(task.id);
        this.pump();
      });
    this.slots.set(task.id, { abort, done });
  }

  private async work(task: TaskState, signal: AbortSignal): Promise<void> {
    if (task.spec.refusal === null && !(await this.resolveRepository(task))) return;
    if (!task.accepted && !(await this.accept(task, signal))) return;
    // While its source was asked, the user may have decided otherwise.
    if (signal.aborted) return;
    if (task.spec.refusal !== null) return endWithoutRun(this.ports, task, 'failed', task.spec.refusal);
    await new TaskRun(this.ports, this.settings, this.lanes, this.registry, task.id).execute(signal);
  }

  /** With one repository there is no question which one is meant, unless the source means another one: then the user is asked. */
  private async resolveRepository(task: TaskState): Promise<boolean> {
    if (task.spec.repo !== null) return true;
    const [only, ...others] = this.ports.repositories();
    const { priority, repoName } = task.spec;
    if (only !== undefined && others.length === 0 && repoName === undefined) {
      await this.ports.events.append([{ kind: 'task.changed', taskId: task.id, repo: only, priority }]);
      return true;
    }
    const reason = whyNoRepository(only !== undefined, repoName);
    await this.ports.events.append([{ kind: 'task.waiting', taskId: task.id, on: 'user', reason }]);
    return false;
  }

  private async accept(task: TaskState, signal: AbortSignal): Promise<boolean> {
    const { events, sources } = this.ports;
    const { origin } = task.spec;
    if (origin.sourceId === userSourceId) {
      await events.append([{ kind: 'task.accepted', taskId: task.id }]);
      return true;
    }
    const source = sources.find((candidate) => candidate.id === origin.sourceId);
    if (!source) {
      await events.append([
        {
          kind: 'task.waiting',
          taskId: task.id,
          on: 'user',
          reason: `Its source ${origin.sourceId} is not set up any more.`,
        },
      ]);
      return false;
    }
    const isRepeat = task.status === 'accepting';
    if (!isRepeat) await events.append([{ kind: 'task.accepting', taskId: task.id }]);
    try {
      const answer = await source.accept(origin.externalId, { isRepeat });
      const answers = this.sourceAnswers(source.id);
      if (answer.kind === 'accepted') {
        await events.append([{ kind: 'task.accepted', taskId: task.id }, ...answers]);
        return !signal.aborted;
      }
      await events.append([
        { kind: 'task.ended', taskId: task.id, outcome: 'cancelled', reason: answer.reason, runId: null },
        ...answers,
      ]);
      return false;
    } catch (error) {
      if (treatmentOf(error) === 'pause') throw error;
      return this.acceptLater(task, error);
    }
  }

  /** What was said of a source when it could not be asked is taken back. */
  private sourceAnswers(sourceId: string): EventBody[] {
    if (!this.sourcesHeldUntilMs.delete(sourceId)) return [];
    return [{ kind: 'source.changed', sourceId, healthy: true, message: '' }];
  }

  /** Its source is left alone for a while; tasks of others go on. */
  private async acceptLater(task: TaskState, error: unknown): Promise<false> {
    const reason = messageOf(error);
    const { sourceId } = task.spec.origin;
    const asked = error instanceof SourceUnreachableError ? error.retryAfterMs : null;
    this.sourcesHeldUntilMs.set(sourceId, this.ports.clock.monotonicMs() + (asked ?? pauseMs));
    await this.ports.events.append([
      treatmentOf(error) === 'fail'
        ? { kind: 'task.waiting', taskId: task.id, on: 'user', reason }
        : // It stays `accepting`: the source may have given it, and is asked again as a repeat.
          { kind: 'source.changed', sourceId, healthy: false, message: reason.slice(0, 1000) },
    ]);
    return false;
  }

  /** What was blocked by a dependency goes back into the queue when that is being done again, or is done. */
  private reviewBlocked(nowMs: number): void {
    const { state } = this.ports.events;
    for (const task of state.tasks.values()) {
      if (task.status !== 'blocked' || readinessOf(state, task, nowMs).kind === 'blocked') continue;
      this.appendLater([{ kind: 'task.requeued', taskId: task.id, reason: '', notBeforeMs: 0 }]);
    }
  }

  private hold(taskId: TaskId, reason: string): void {
    this.appendLater([{ kind: 'task.blocked', taskId, reason }]);
  }

  private appendLater(bodies: readonly EventBody[]): void {
    this.ports.events.append(bodies).catch((error: unknown) => {
      this.pausedUntilMs = this.ports.clock.monotonicMs() + pauseMs;
      this.ports.logger.warn('The state of a task could not be kept', { reason: messageOf(error) });
    });
  }

  private wakeIn(delayMs: number): void {
    this.wakeUp = this.ports.clock.setTimer(delayMs, () => this.pump());
  }
}

/** Its source need not be asked for it. */
function isOurs(task: TaskState): boolean {
  return task.accepted || task.spec.origin.sourceId === userSourceId;
}

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

function whyNoRepository(isOneOpen: boolean, repoName: string | undefined): string {
  if (!isOneOpen) return 'No repository is open. Open the folder that the task is for.';
  return repoName === undefined
    ? 'Several repositories are open. Choose the one that the task is for.'
    : `No open repository is called “${repoName}”. Choose the one that the task is for.`;
}
