import type { AirlockEvent } from '../../core/events';
import type { ReportId, SessionId, TaskId } from '../../core/ids';
import { type LiveState, type TaskState, taskOf } from '../../core/liveState';
import { abilities, abilitiesOf, type Ability } from './abilities';
import type { LookedAt } from './lookedAt';
import { groupOf, rankOf, type Rank, type TaskGroup, taskGroups } from './taskGroup';

/** What must be shown anew. */
export interface BoardChanges {
  /** Tasks that look different, whether they moved or not. */
  readonly tasks: ReadonlySet<TaskId>;
  /** Groups in which a task came, went or moved. */
  readonly groups: ReadonlySet<TaskGroup>;
  /** A group got its first task or lost its last one: the list of groups is another. */
  readonly groupList: boolean;
}

/** What the user has looked at. */
export type BoardMemory = Pick<LookedAt, 'has' | 'hasGivenUpReport'>;

const nothingSeen: BoardMemory = { has: () => false, hasGivenUpReport: () => false };

interface Place {
  readonly group: TaskGroup;
  readonly rank: Rank;
  readonly abilities: ReadonlySet<Ability>;
}

/**
 * Which tasks stand in which group and in which order, kept up to date event by event: an event costs the search for one
 * place, however many tasks there are.
 */
export class TaskBoard {
  private readonly places = new Map<TaskId, Place>();
  private readonly groups: Record<TaskGroup, TaskId[]> = { needsYou: [], running: [], queued: [], done: [] };
  private readonly abilityCounts = new Map<Ability, number>();
  /** The task of each living session: once it is closed, the state no longer tells. */
  private readonly owners = new Map<SessionId, TaskId>();
  private readonly reports = new Map<TaskId, ReportId>();

  constructor(private readonly memory: BoardMemory = nothingSeen) {}

  /** Takes everything in from nothing. */
  rebuild(state: LiveState): void {
    this.places.clear();
    this.abilityCounts.clear();
    this.owners.clear();
    this.reports.clear();
    for (const group of taskGroups) this.groups[group] = [];
    for (const { report } of state.reports.values()) this.follow(state, report.taskId, report.reportId);
    for (const task of state.tasks.values()) {
      const place = this.placeOf(state, task);
      this.places.set(task.id, place);
      this.groups[place.group].push(task.id);
      this.count(place, 1);
    }
    for (const group of taskGroups) this.groups[group].sort((a, b) => this.compare(a, b));
    for (const session of state.sessions.values()) this.own(session.id, state.runs.get(session.runId)?.taskId);
  }

  /** Follows events that are already in `state`. */
  apply(state: LiveState, events: readonly AirlockEvent[]): BoardChanges {
    return this.place(state, this.touched(state, events));
  }

  /** Puts tasks where they belong now. */
  place(state: LiveState, tasks: ReadonlySet<TaskId>): BoardChanges {
    const groups = new Set<TaskGroup>();
    const before = this.nonEmpty();
    for (const taskId of tasks) for (const group of this.placeOne(state, taskId)) groups.add(group);
    return { tasks, groups, groupList: before !== this.nonEmpty() };
  }

  /** The tasks of a group in their order. Do not change it. */
  idsOf(group: TaskGroup): readonly TaskId[] {
    return this.groups[group];
  }

  /** Groups that have a task, in their order. */
  shownGroups(): TaskGroup[] {
    return taskGroups.filter((group) => this.groups[group].length > 0);
  }

  groupOfTask(taskId: TaskId): TaskGroup | undefined {
    return this.places.get(taskId)?.group;
  }

  abilitiesOfTask(taskId: TaskId): ReadonlySet<Ability> {
    return this.places.get(taskId)?.abilities ?? new Set();
  }

  /** A report about a task that its source has not acknowledged: one that it refused for good, or the newest. */
  reportOfTask(taskId: TaskId): ReportId | undefined {
    return this.reports.get(taskId);
  }

  /** Abilities that at least one task has. */
  available(): ReadonlySet<Ability> {
    return new Set(abilities.filter((ability) => (this.abilityCounts.get(ability) ?? 0) > 0));
  }

  private touched(state: LiveState, events: readonly AirlockEvent[]): Set<TaskId> {
    const touched = new Set<TaskId>();
    for (const event of events) {
      const taskId = taskOf(state, event) ?? ('sessionId' in event ? this.owners.get(event.sessionId) : undefined);
      if (event.kind === 'session.created') this.own(event.sessionId, taskId);
      if (event.kind === 'report.queued') this.follow(state, event.report.taskId, event.report.reportId);
      if (event.kind === 'report.dead') this.reports.set(event.taskId, event.reportId);
      if (event.kind === 'session.closed') this.owners.delete(event.sessionId);
      if (event.kind === 'report.acknowledged' && this.reports.get(event.taskId) === event.reportId) {
        this.reports.delete(event.taskId);
      }
      if (taskId !== undefined) touched.add(taskId);
    }
    return touched;
  }

  /** A refused report stays before the others: it is what the user can do something about. */
  private follow(state: LiveState, taskId: TaskId, reportId: ReportId): void {
    if (!this.hasDeadReport(state, taskId)) this.reports.set(taskId, reportId);
  }

  private hasDeadReport(state: LiveState, taskId: TaskId): boolean {
    const reportId = this.reports.get(taskId);
    return reportId !== undefined && state.reports.get(reportId)?.status === 'dead';
  }

  private own(sessionId: SessionId, taskId: TaskId | undefined): void {
    if (taskId !== undefined) this.owners.set(sessionId, taskId);
  }

  /** Puts a task where it belongs now; answers the groups that changed by it. */
  private placeOne(state: LiveState, taskId: TaskId): TaskGroup[] {
    const task = state.tasks.get(taskId);
    const old = this.places.get(taskId);
    const next = task && this.placeOf(state, task);
    if (old) this.count(old, -1);
    if (next) this.count(next, 1);
    if (old && next && old.group === next.group && compareRanks(old.rank, next.rank) === 0) {
      this.places.set(taskId, next);
      return [];
    }
    if (old) this.groups[old.group].splice(this.indexOf(taskId, old), 1);
    this.places.delete(taskId);
    if (next) {
      this.places.set(taskId, next);
      this.groups[next.group].splice(this.indexOf(taskId, next), 0, taskId);
    }
    return [...new Set([old?.group, next?.group].filter((group) => group !== undefined))];
  }

  private placeOf(state: LiveState, task: TaskState): Place {
    const hasDeadReport = this.hasDeadReport(state, task.id);
    const deadReport = hasDeadReport && this.memory.hasGivenUpReport(task);
    const seen = { result: this.memory.has(task), hasDeadReport, deadReport };
    const group = groupOf(task, seen.result, hasDeadReport && !deadReport);
    return { group, rank: rankOf(state, task, group), abilities: abilitiesOf(state, task, seen) };
  }

  /** Where a task stands in its group, or would stand. */
  private indexOf(taskId: TaskId, place: Place): number {
    const ids = this.groups[place.group];
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = ids[middle] ?? '';
      const otherRank = this.places.get(other)?.rank ?? place.rank;
      const order = compareRanks(otherRank, place.rank) || compareIds(other, taskId);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private compare(a: TaskId, b: TaskId): number {
    const [rankA, rankB] = [this.places.get(a)?.rank, this.places.get(b)?.rank];
    return (rankA && rankB && compareRanks(rankA, rankB)) || compareIds(a, b);
  }

  private count(place: Place, by: 1 | -1): void {
    for (const ability of place.abilities) {
      this.abilityCounts.set(ability, (this.abilityCounts.get(ability) ?? 0) + by);
    }
  }

  private nonEmpty(): string {
    return this.shownGroups().join();
  }
}

function compareRanks(a: Rank, b: Rank): number {
  return a[0] - b[0] || a[1] - b[1];
}

/** The order of arrival decides between equals where it can be told; ids only make the order certain. */
function compareIds(a: TaskId, b: TaskId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
