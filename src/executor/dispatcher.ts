import { DisposableStore, type Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { AirlockEvent, EventBody } from '../core/events';
import type { TaskId } from '../core/ids';
import { taskOf, type TaskState } from '../core/liveState';
import { Acceptance } from './acceptance';
import { resolvePersona, resolveRepository } from './assignment';
import type { HostWatch } from './hostWatch';
import { isOurs } from './intake';
import { RunInterrupted, type Interruption } from './interruption';
import type { RunGates } from './requestGates';
import { OpenTasks } from './openTasks';
import type { ExecutorPorts, ExecutorSettings, SessionRegistry } from './ports';
import { treatmentOf } from './retryPolicy';
import { RetryTimes } from './retryTimes';
import { endWithoutRun } from './runlessEnd';
import { dependencyTrouble } from './taskOrder';
import { TaskRun } from './taskRun';
import type { WarmSessions } from './warmSessions';

/** How long nothing new is started after nothing could be kept. */
const pauseMs = 10_000;

interface DispatcherParts {
  readonly host: Pick<HostWatch, 'holdsBack'>;
  /** What runs may take instead of making it. */
  readonly warm: WarmSessions;
}

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
  private readonly acceptance: Acceptance;
  private readonly retryTimes: RetryTimes;
  private tasks: OpenTasks | undefined;
  /** When something that cannot start yet can, in wall time. */
  private nextMs = Infinity;
  private scheduled = false;
  private ended = false;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly gates: RunGates,
    private readonly registry: SessionRegistry,
    private readonly beside: DispatcherParts,
  ) {
    this.acceptance = new Acceptance(ports);
    this.retryTimes = new RetryTimes(ports.clock);
  }

  start(): void {
    const tasks = new OpenTasks(this.ports.events.state, (taskId) => this.slots.has(taskId));
    this.tasks = tasks;
    this.disposables.add(
      this.ports.events.onDidAppend((events) => {
        for (const event of events) {
          this.retryTimes.follow(event);
          const taskId = movesTask(event) ? taskOf(this.ports.events.state, event) : undefined;
          if (taskId !== undefined) tasks.update(taskId);
        }
        this.pump();
      }),
    );
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
    if (this.ports.events.state.holds.has('budget')) return;
    if (this.ports.room.shortage !== undefined || this.slots.size >= this.settings.concurrency) return;
    const nowMs = this.ports.clock.nowMs();
    this.nextMs = Infinity;
    this.reviewDependencies();
    while (this.slots.size < this.settings.concurrency) {
      const next = this.nextTask(nowMs);
      if (!next) break;
      this.begin(next);
      this.tasks?.update(next.id);
    }
    if (this.nextMs < Infinity) this.wakeIn(this.nextMs - nowMs);
  }

  /** What the user wants before all others, and then by priority and age, within what each repository and persona may have. */
  private nextTask(nowMs: number): TaskState | undefined {
    for (const taskId of this.urgent) {
      const task = this.ports.events.state.tasks.get(taskId);
      if (task && isOpen(task) && this.mayStart(task, nowMs)) return task;
    }
    if (this.ports.events.state.queueMode !== 'running' || this.beside.host.holdsBack) return undefined;
    const [only, ...others] = this.ports.repositories();
    const sole = others.length === 0 ? (only ?? null) : null;
    const isFull = this.fullShares(sole);
    return this.tasks?.first((task) => this.mayStart(task, nowMs), isFull);
  }

  /** @param sole The repository of tasks that name none, when there is only one. */
  private fullShares(sole: string | null): (share: Pick<TaskState['spec'], 'repo' | 'persona'>) => boolean {
    const { concurrencyPerRepository: perRepository, concurrencyPerPersona: perPersona } = this.settings;
    if (perRepository === null && perPersona === null) return () => false;
    const working = [...this.slots.keys()].flatMap((id) => this.ports.events.state.tasks.get(id)?.spec ?? []);
    return ({ repo, persona }) => {
      const ofRepository = working.filter((spec) => (spec.repo ?? sole) === (repo ?? sole)).length;
      const ofPersona = working.filter((spec) => spec.persona === persona).length;
      return ofRepository >= (perRepository ?? Infinity) || ofPersona >= (perPersona ?? Infinity);
    };
  }

  /** Whether it may have a slot now; when it may later, that is remembered. */
  private mayStart(task: TaskState, nowMs: number): boolean {
    if (this.slots.has(task.id) || this.withheld.has(task.id)) return false;
    const isUrgent = this.urgent.has(task.id);
    const waitMs = isUrgent ? 0 : this.retryTimes.leftMs(task);
    if (waitMs > 0) return this.notBefore(nowMs + waitMs);
    if (isOurs(task)) return true;
    const { sourceId } = task.spec.origin;
    if (this.ports.events.state.pausedSources.has(sourceId) && !isUrgent) return false;
    const leftMs = this.acceptance.heldForMs(sourceId);
    if (leftMs > 0) return this.notBefore(nowMs + leftMs);
    // While its source has given as many as there are slots, it is not asked for more: somebody else may have one free.
    return task.status === 'accepting' || (this.tasks?.heldFor(sourceId) ?? 0) < this.settings.concurrency;
  }

  private notBefore(atMs: number): false {
    this.nextMs = Math.min(this.nextMs, atMs);
    return false;
  }

  private begin(task: TaskState): void {
    const abort = new AbortController();
    const done = this.work(task, abort.signal)
      .catch((error: unknown) => {
        if (this.ports.room.shortage !== undefined) {
          // Why, the log has already said, and nothing is started until that is over.
          this.ports.logger.info('A task was left where it was', { taskId: task.id, reason: messageOf(error) });
          return;
        }
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
        this.tasks?.update(task.id);
        this.pump();
      });
    this.slots.set(task.id, { abort, done });
  }

  private async work(task: TaskState, signal: AbortSignal): Promise<void> {
    if (task.spec.refusal === null && !(await resolveRepository(this.ports, task))) return;
    const persona =
      task.spec.refusal === null ? await resolvePersona(this.ports, task.id, this.settings.routes) : undefined;
    if (task.spec.refusal === null && persona === undefined) return;
    if (!task.accepted && !(await this.acceptance.accept(task, signal))) return;
    // While its source was asked, the user may have decided otherwise.
    if (signal.aborted) return;
    if (task.spec.refusal !== null) return endWithoutRun(this.ports, task, 'failed', task.spec.refusal);
    if (persona === undefined) return;
    const work = { taskId: task.id, persona, warm: this.beside.warm };
    await new TaskRun(this.ports, this.settings, this.gates, this.registry, work).execute(signal);
  }

  /** What its dependencies do not allow is blocked; what they allow again goes back into the queue. */
  private reviewDependencies(): void {
    const bodies = (this.tasks?.takeSuspects() ?? []).flatMap((task): EventBody[] => {
      if (this.slots.has(task.id) || this.urgent.has(task.id)) return [];
      const trouble = dependencyTrouble(this.ports.events.state, task);
      if (trouble?.kind === 'blocked') return [{ kind: 'task.blocked', taskId: task.id, reason: trouble.reason }];
      return task.status === 'blocked' ? [{ kind: 'task.requeued', taskId: task.id, reason: '', notBeforeMs: 0 }] : [];
    });
    if (bodies.length > 0) this.appendLater(bodies);
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

function isOpen({ status }: TaskState): boolean {
  return status === 'queued' || status === 'running' || status === 'accepting';
}

/** After such an event a task may have another place in the order, or none. */
function movesTask({ kind }: AirlockEvent): boolean {
  return kind.startsWith('task.') || kind === 'run.started' || kind === 'run.resumed';
}
