import { z } from 'zod';
import type { Disposable } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import type { TaskId } from '../../core/ids';
import type { LiveState, TaskState } from '../../core/liveState';

/** What VS Code keeps for the extension: over reloads, and shared by all windows. */
export interface Kept {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

const key = 'airlock.lookedAt';
const namesSchema = z.array(z.string());

/** Results that were looked at are remembered up to this number, the newest: the whole is written each time. */
const maxRemembered = 5000;

/** Which results the user has looked at. Another attempt at a task has another result, which nobody has seen. */
export class LookedAt implements Disposable {
  private readonly changed = new Emitter<readonly TaskId[]>();

  /** What was kept when it was last read, and the same to look up in: another window may have changed it since. */
  private last: { readonly value: unknown; readonly names: ReadonlySet<string> } = {
    value: undefined,
    names: new Set(),
  };

  constructor(private readonly kept: Kept) {}

  /** Tasks whose results were looked at just now. */
  get onDidChange() {
    return this.changed.event;
  }

  has(task: TaskState): boolean {
    return this.remembered().has(nameOf(task));
  }

  /** The user wants to hear no more of the report that its source refused. */
  hasGivenUpReport(task: TaskState): boolean {
    return this.remembered().has(reportNameOf(task));
  }

  /** Says that the user has looked at the results of these tasks; those that have none are left out. */
  async add(state: LiveState, taskIds: readonly TaskId[]): Promise<void> {
    const tasks = taskIds.flatMap((taskId) => state.tasks.get(taskId) ?? []);
    await this.remember(state, tasks.filter((task) => needsReview(task) && !this.has(task)).map(nameOf), taskIds);
  }

  /** Says that nothing is to be done any more about reports of these tasks that their sources refused. */
  async giveUpReports(state: LiveState, taskIds: readonly TaskId[]): Promise<void> {
    const dead = new Set<TaskId>();
    for (const { status, report } of state.reports.values()) if (status === 'dead') dead.add(report.taskId);
    const tasks = taskIds.flatMap((taskId) => state.tasks.get(taskId) ?? []);
    const names = tasks.filter((task) => dead.has(task.id) && !this.hasGivenUpReport(task)).map(reportNameOf);
    await this.remember(state, names, taskIds);
  }

  dispose(): void {
    this.changed.dispose();
  }

  private async remember(state: LiveState, names: readonly string[], taskIds: readonly TaskId[]): Promise<void> {
    if (names.length === 0) return;
    const living = [...this.remembered()].filter((name) => state.tasks.has(name.slice(0, name.lastIndexOf('/'))));
    await this.kept.update(key, [...living, ...names].slice(-maxRemembered));
    this.changed.fire(taskIds);
  }

  private remembered(): ReadonlySet<string> {
    const value = this.kept.get(key);
    if (value !== this.last.value) this.last = { value, names: new Set(namesSchema.safeParse(value).data) };
    return this.last.names;
  }
}

/** What was in the way of a result is news, also about one that was looked at before. */
function nameOf(task: TaskState): string {
  const landing = couldNotBeAccepted(task) ? `@${task.landing?.runId ?? ''}` : '';
  return `${task.id}/${task.attempts}${landing}`;
}

function reportNameOf(task: TaskState): string {
  return `${task.id}/${task.attempts}!report`;
}

/**
 * It ended, and nothing vouches for its result, or it could not be accepted: somebody has to look at it. What the user ended
 * needs nobody.
 */
export function needsReview(task: TaskState): boolean {
  const { status, spec } = task;
  // What a review says is shown with what it is about.
  if (spec.parent?.kind === 'review') return false;
  if (status === 'failed' || status === 'contradicted' || status === 'partial' || status === 'unchecked') return true;
  return status === 'verified' && couldNotBeAccepted(task);
}

function couldNotBeAccepted({ landing }: TaskState): boolean {
  return landing?.phase === 'failed';
}
