import { UserError } from '../base/errors';
import type { ResultChanges } from '../core/executor';
import type { TaskId } from '../core/ids';
import { runOf } from '../core/liveState';
import type { ExecutorPorts } from './ports';
import { foundTask } from './steering';

/** What tasks have changed, for those who look at it. */
export class Results {
  constructor(private readonly ports: Pick<ExecutorPorts, 'events' | 'workspaces'>) {}

  /** @throws {UserError} `unknown-task`, `no-result`. */
  async changes(taskId: TaskId): Promise<ResultChanges> {
    const { repo, baseCommit, commit, branch } = this.result(taskId);
    return { repo, baseCommit, commit, branch, files: await this.ports.workspaces.changes(repo, baseCommit, commit) };
  }

  readFile(taskId: TaskId, side: 'base' | 'result', path: string): Promise<Uint8Array | undefined> {
    const { repo, baseCommit, commit } = this.result(taskId);
    return this.ports.workspaces.readFile(repo, side === 'base' ? baseCommit : commit, path);
  }

  private result(taskId: TaskId): Omit<ResultChanges, 'files'> {
    const { state } = this.ports.events;
    const run = runOf(state, foundTask(state, taskId));
    if (!run?.commit || !run.baseCommit || run.branch === null) {
      throw new UserError('no-result', 'This task has no result that changes something.', { taskId });
    }
    return { repo: run.repo, baseCommit: run.baseCommit, commit: run.commit, branch: run.branch };
  }
}
