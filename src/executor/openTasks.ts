import type { TaskId } from '../core/ids';
import type { LiveState, TaskState } from '../core/liveState';
import { isEnded } from '../core/task';
import { isOurs, userSourceId } from './intake';
import { type SortedTask, SortedTasks } from './sortedTasks';
import { arrivalOf, startRankOf } from '../core/taskRank';
import { compareTasks, dependencyTrouble } from './taskOrder';

/** Tasks that compete for the same slots: of one repository and persona, and of one source that must be asked for them. */
interface Share {
  readonly sourceId: string | null;
  readonly repo: string | null;
  readonly persona: string | null;
  readonly tasks: SortedTasks;
}

interface Place {
  readonly share: Share | null;
  readonly sorted: SortedTask;
  /** The source that believes it to be in work here. */
  readonly heldFor: string | null;
}

/**
 * What may get a slot, kept in order as events come, so that a queue of ten thousand tasks costs no more than one of ten: an
 * event moves the tasks that it is about and those that depend on them, and no others are looked at.
 */
export class OpenTasks {
  private readonly shares = new Map<string, Share>();
  private readonly places = new Map<TaskId, Place>();
  private readonly dependents = new Map<TaskId, Set<TaskId>>();
  private readonly held = new Map<string, number>();
  /** Tasks whose dependencies do not allow them any more, or allow them again. */
  private readonly suspects = new Set<TaskId>();

  constructor(
    private readonly state: LiveState,
    /** True while the task has a slot. */
    private readonly isWorking: (taskId: TaskId) => boolean,
  ) {
    for (const task of state.tasks.values()) this.follow(task);
  }

  /** Something of the task has changed. */
  update(taskId: TaskId): void {
    const task = this.state.tasks.get(taskId);
    if (task) this.follow(task);
    for (const id of this.dependents.get(taskId) ?? []) {
      const dependent = this.state.tasks.get(id);
      if (dependent) this.follow(dependent);
    }
  }

  /** How many tasks a source believes to be in work here, those included that wait for the user or for their next try. */
  heldFor(sourceId: string): number {
    return this.held.get(sourceId) ?? 0;
  }

  /** The first task in order that `mayStart` allows; of those that compete for the same, `isFull` may rule out all at once. */
  first(
    mayStart: (task: TaskState) => boolean,
    isFull: (share: Pick<Share, 'repo' | 'persona'>) => boolean,
  ): TaskState | undefined {
    let best: TaskState | undefined;
    for (const share of this.shares.values()) {
      if (isFull(share)) continue;
      const task = this.firstOf(share, mayStart);
      if (task && (!best || compareTasks(task, best) < 0)) best = task;
    }
    return best;
  }

  /** Tasks that are to be blocked by their dependencies or let go again, each once. */
  takeSuspects(): TaskState[] {
    const tasks = [...this.suspects].flatMap((id) => this.state.tasks.get(id) ?? []);
    this.suspects.clear();
    return tasks;
  }

  private firstOf({ tasks }: Share, mayStart: (task: TaskState) => boolean): TaskState | undefined {
    for (const id of tasks) {
      const task = this.state.tasks.get(id);
      if (task && mayStart(task)) return task;
    }
    return undefined;
  }

  private follow(task: TaskState): void {
    this.remove(task.id);
    if (isEnded(task.status)) return;
    for (const id of task.spec.dependsOn) {
      const dependents = this.dependents.get(id) ?? new Set();
      this.dependents.set(id, dependents.add(task.id));
    }
    const trouble = dependencyTrouble(this.state, task);
    if ((trouble?.kind === 'blocked') !== (task.status === 'blocked') && isOpen(task, 'blocked'))
      this.suspects.add(task.id);
    const share = trouble === undefined && isOpen(task) ? this.shareOf(task) : null;
    const sorted = { id: task.id, rank: startRankOf(task), arrival: arrivalOf(task) };
    share?.tasks.add(sorted);
    const { sourceId } = task.spec.origin;
    const isHeld = !isUsers(task) && (task.accepted || task.status === 'accepting' || this.isWorking(task.id));
    if (isHeld) this.held.set(sourceId, this.heldFor(sourceId) + 1);
    this.places.set(task.id, { share, sorted, heldFor: isHeld ? sourceId : null });
  }

  private remove(taskId: TaskId): void {
    const place = this.places.get(taskId);
    if (!place) return;
    this.places.delete(taskId);
    place.share?.tasks.remove(place.sorted);
    if (place.heldFor !== null) this.held.set(place.heldFor, this.heldFor(place.heldFor) - 1);
  }

  private shareOf(task: TaskState): Share {
    const { repo, persona, origin } = task.spec;
    const sourceId = isOurs(task) ? null : origin.sourceId;
    const key = JSON.stringify([sourceId, repo, persona]);
    const share = this.shares.get(key) ?? { sourceId, repo, persona, tasks: new SortedTasks() };
    this.shares.set(key, share);
    return share;
  }
}

/** A running task without a slot lost it when nothing could be kept. */
function isOpen({ status }: TaskState, also?: TaskState['status']): boolean {
  return status === 'queued' || status === 'accepting' || status === 'running' || status === also;
}

function isUsers({ spec }: TaskState): boolean {
  return spec.origin.sourceId === userSourceId;
}
