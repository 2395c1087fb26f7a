import type { TaskId } from '../core/ids';
import type { TaskSpec } from '../core/task';

type Keyed = Pick<TaskSpec, 'key' | 'localKey' | 'repo'>;

/**
 * Finds the task that another source has delivered already. Two keys that are the same mean the same task. A key and a name in
 * a repository do too, when the task is for that repository; two such names never do, for each table may count from 1.
 */
export class TaskKeys {
  private readonly tasks = new Map<string, TaskId>();

  /** @param sole The repository of tasks that name none, when there is only one. */
  constructor(private readonly sole: () => string | null) {}

  find(task: Keyed): TaskId | undefined {
    for (const name of this.sought(task)) {
      const found = this.tasks.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The first task of a key keeps it. */
  add(taskId: TaskId, task: Keyed): void {
    for (const name of this.names(task)) if (!this.tasks.has(name)) this.tasks.set(name, taskId);
  }

  /** It was not kept after all. */
  forget(taskId: TaskId, task: Keyed): void {
    for (const name of this.names(task)) if (this.tasks.get(name) === taskId) this.tasks.delete(name);
  }

  private names({ key, localKey, repo }: Keyed): string[] {
    return [
      ...(key === undefined ? [] : [`key ${key}`, this.inRepository('keyed', repo, key)]),
      ...(localKey === undefined ? [] : [this.inRepository('named', repo, localKey)]),
    ];
  }

  private sought({ key, localKey, repo }: Keyed): string[] {
    return [
      ...(key === undefined ? [] : [`key ${key}`, this.inRepository('named', repo, key)]),
      ...(localKey === undefined ? [] : [this.inRepository('keyed', repo, localKey)]),
    ];
  }

  private inRepository(what: 'keyed' | 'named', repo: string | null, key: string): string {
    return `${what} ${JSON.stringify([repo ?? this.sole(), key])}`;
  }
}
