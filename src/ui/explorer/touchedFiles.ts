import path from 'node:path';
import { isWithin } from '../../base/pathWithin';
import type { TaskId } from '../../core/ids';
import type { FileChange } from '../../core/workspace';

/** Whether one of the folders lies in the repository or round it. All are absolute. */
export function isSeenIn(folders: readonly string[], repo: string): boolean {
  return folders.some((folder) => isWithin(folder, repo) || isWithin(repo, folder));
}

/** Which tasks are changing which files of the user's, by the absolute paths that these have in the user's own repository. */
export class TouchedFiles {
  private readonly byTask = new Map<TaskId, ReadonlySet<string>>();

  /** What a task has changed so far. @returns the files that look different after it. */
  set(taskId: TaskId, repo: string, files: readonly Pick<FileChange, 'path' | 'oldPath'>[]): string[] {
    const names = files.flatMap((file) => (file.oldPath === null ? [file.path] : [file.path, file.oldPath]));
    return this.replace(taskId, new Set(names.map((name) => path.join(repo, name))));
  }

  /** It changes nothing any more. @returns the files that look different after it. */
  remove(taskId: TaskId): string[] {
    return this.replace(taskId, new Set());
  }

  /** In the order in which they were first told of. */
  tasksOf(file: string): TaskId[] {
    return [...this.byTask].flatMap(([taskId, files]) => (files.has(file) ? [taskId] : []));
  }

  get tasks(): TaskId[] {
    return [...this.byTask.keys()];
  }

  private replace(taskId: TaskId, files: ReadonlySet<string>): string[] {
    const before = this.byTask.get(taskId) ?? new Set<string>();
    if (files.size === 0) this.byTask.delete(taskId);
    else this.byTask.set(taskId, files);
    return [...before].filter((file) => !files.has(file)).concat([...files].filter((file) => !before.has(file)));
  }
}
