import type { TaskGroup } from './taskGroup';

/** Rows of a group that are shown at first. VS Code makes each row at once, so that thousands would be felt. */
export const firstPage = 100;
/** Rows that "show more" adds. */
export const nextPage = 400;

/** How far each group is shown. */
export class TaskPages {
  private readonly sizes = new Map<TaskGroup, number>();

  sizeOf(group: TaskGroup): number {
    return this.sizes.get(group) ?? firstPage;
  }

  showMore(group: TaskGroup): void {
    this.sizes.set(group, this.sizeOf(group) + nextPage);
  }

  /** The part of `ids` that is shown, and how many are not. */
  pageOf<T>(group: TaskGroup, ids: readonly T[]): { readonly shown: readonly T[]; readonly hidden: number } {
    const size = this.sizeOf(group);
    // A row that says "one more" takes the room of the one.
    if (ids.length <= size + 1) return { shown: ids, hidden: 0 };
    return { shown: ids.slice(0, size), hidden: ids.length - size };
  }
}
