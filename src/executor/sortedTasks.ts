import type { TaskId } from '../core/ids';

interface Entry {
  readonly rank: number;
  readonly id: TaskId;
}

/** Task ids by rank, the lowest first; ids decide between equals. Adding and removing costs a binary search. */
export class SortedTasks implements Iterable<TaskId> {
  private readonly entries: Entry[] = [];

  get size(): number {
    return this.entries.length;
  }

  add(id: TaskId, rank: number): void {
    this.entries.splice(this.placeOf(id, rank), 0, { id, rank });
  }

  /** @param rank The one that it was added with. */
  remove(id: TaskId, rank: number): void {
    const place = this.placeOf(id, rank);
    if (this.entries[place]?.id === id) this.entries.splice(place, 1);
  }

  *[Symbol.iterator](): Iterator<TaskId> {
    for (const { id } of this.entries) yield id;
  }

  private placeOf(id: TaskId, rank: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.entries[middle];
      const isBefore = entry !== undefined && (entry.rank - rank || (entry.id < id ? -1 : entry.id > id ? 1 : 0)) < 0;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
