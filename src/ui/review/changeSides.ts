import type { ResultChanges } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import type { ResultFile } from './resultUri';

/** One file of the diff: the base on the left, the result on the right. */
export interface ChangeSides {
  readonly left: ResultFile | null;
  readonly right: ResultFile | null;
}

/** A change as the two files that VS Code compares; a side is missing when the file is not there. */
export function sidesOf(taskId: TaskId, changes: ResultChanges): ChangeSides[] {
  return changes.files.map((change) => {
    const file = (side: ResultFile['side'], path: string): ResultFile => ({
      taskId,
      side,
      commit: changes.commit,
      path,
    });
    return {
      left: change.kind === 'added' ? null : file('base', change.oldPath ?? change.path),
      right: change.kind === 'deleted' ? null : file('result', change.path),
    };
  });
}
