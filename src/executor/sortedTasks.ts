import type { TaskId } from '../core/ids';

/** What decides about a task's place: the rank, then the arrival, then the id. */
export interface SortedTask {
  readonly rank: number;
  readonly arrival: number;
  readonly id: TaskId;
}

/** Task ids in their order, the lowest first. Adding and removing costs a binary search. */
export class SortedTasks implements Iterable<TaskId> {
  private readonly entries: SortedTask[] = [];

  get size(): number {
    return this.entries.length;
  }

  add(task: SortedTask): void {
    this.entries.splice(this.placeOf(task), 0, task);
  }

  /** @param task As it was added. */
  remove(task: SortedTask): void {
    const place = this.placeOf(task);
    if (this.entries[place]?.id === task.id) this.entries.splice(place, 1);
  }

  *[Symbol.iterator](): Iterator<TaskId> {
    for (const { id } of this.entries) yield id;
  }

  private placeOf(task: SortedTask): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.entries[middle];
      if (entry !== undefined && isBefore(entry, task)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(one: SortedTask, other: SortedTask): boolean {
  const difference = one.rank - other.rank || one.arrival - other.arrival;
  return difference < 0 || (difference === 0 && one.id < other.id);
}
