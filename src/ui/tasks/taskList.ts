import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import type { TaskId } from '../../core/ids';
import type { TaskState } from '../../core/liveState';
import { Coalescer } from '../coalescer';
import type { ExecutorLink } from '../executorLink';
import type { Ability } from './abilities';
import type { LookedAt } from './lookedAt';
import { type BoardChanges, TaskBoard } from './taskBoard';
import type { TaskGroup } from './taskGroup';
import { rowOf, type RowInput, type TaskRow } from './taskRow';

/** What must be shown anew, gathered over a moment. `all`: everything. */
export type ListChange =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'some';
      /** Tasks that look different. */
      readonly tasks: ReadonlySet<TaskId>;
      /** Groups in which a task came, went or moved. */
      readonly groups: ReadonlySet<TaskGroup>;
    };

/** A burst of events becomes one change in this time: quick to the eye, and ten renderings a second at most. */
const intervalMs = 100;

/** The tasks as every view of them sees them: grouped, ordered, and told what changed and nothing more. */
export class TaskList implements Disposable {
  private readonly board: TaskBoard;
  private readonly store = new DisposableStore();
  private readonly changed = new Emitter<ListChange>();
  private readonly coalescer: Coalescer;
  private all = false;
  private touched = new Set<TaskId>();
  private groups = new Set<TaskGroup>();

  constructor(
    private readonly link: ExecutorLink,
    private readonly clock: Clock,
    lookedAt: LookedAt,
  ) {
    this.board = new TaskBoard(lookedAt);
    this.coalescer = this.store.add(new Coalescer(clock, intervalMs, () => this.flush()));
    this.store.add(this.changed);
    this.board.rebuild(link.state);
    this.store.add(
      link.onDidReset(() => {
        this.board.rebuild(link.state);
        this.all = true;
        this.coalescer.trigger();
      }),
    );
    this.store.add(link.onDidAppend((events) => this.gather(this.board.apply(link.state, events))));
    this.store.add(lookedAt.onDidChange((taskIds) => this.gather(this.board.place(link.state, new Set(taskIds)))));
  }

  /** Something happened; both sets may be empty. */
  get onDidChange() {
    return this.changed.event;
  }

  idsOf(group: TaskGroup): readonly TaskId[] {
    return this.board.idsOf(group);
  }

  shownGroups(): TaskGroup[] {
    return this.board.shownGroups();
  }

  groupOf(taskId: TaskId): TaskGroup | undefined {
    return this.board.groupOfTask(taskId);
  }

  counts(): Record<TaskGroup, number> {
    const count = (group: TaskGroup): number => this.board.idsOf(group).length;
    return { needsYou: count('needsYou'), running: count('running'), queued: count('queued'), done: count('done') };
  }

  abilitiesOf(taskId: TaskId): ReadonlySet<Ability> {
    return this.board.abilitiesOfTask(taskId);
  }

  /** Abilities that at least one task has. */
  available(): ReadonlySet<Ability> {
    return this.board.available();
  }

  task(taskId: TaskId): TaskState | undefined {
    return this.link.state.tasks.get(taskId);
  }

  rowOf(taskId: TaskId): TaskRow | undefined {
    const input = this.inputOf(taskId);
    return input && rowOf(input);
  }

  /** What a task's row and its tooltip are made from. */
  inputOf(taskId: TaskId): RowInput | undefined {
    const { state } = this.link;
    const task = state.tasks.get(taskId);
    if (!task) return undefined;
    const reportId = this.board.reportOfTask(taskId);
    return {
      state,
      task,
      abilities: this.board.abilitiesOfTask(taskId),
      report: reportId === undefined ? undefined : state.reports.get(reportId),
      nowMs: this.clock.nowMs(),
    };
  }

  dispose(): void {
    this.store.dispose();
  }

  private gather({ tasks, groups, groupList }: BoardChanges): void {
    for (const taskId of tasks) this.touched.add(taskId);
    for (const group of groups) this.groups.add(group);
    this.all ||= groupList;
    // Followers other than the tree (the queue's mode, sources, spending) want to know too.
    this.coalescer.trigger();
  }

  private flush(): void {
    const change: ListChange = this.all ? { kind: 'all' } : { kind: 'some', tasks: this.touched, groups: this.groups };
    this.all = false;
    this.touched = new Set();
    this.groups = new Set();
    this.changed.fire(change);
  }
}
