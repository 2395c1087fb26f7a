import { UserError } from '../base/errors';
import type { RestoredSnapshot } from '../core/executor';
import type { ObjectId, TaskId } from '../core/ids';
import type { RunState, TaskState } from '../core/liveState';
import { snapshotBranchOf, type FileChange, type KeptTrees } from '../core/workspace';
import type { Dispatcher } from './dispatcher';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import { RunSnapshots } from './runSnapshots';
import type { SessionShelf } from './sessionShelf';

interface Subject {
  readonly task: TaskState;
  readonly run: RunState;
}

/** What a user does with the snapshots of a task's last run. 0 stands for the commit that the run started from. */
export class SnapshotDesk {
  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly dispatcher: Pick<Dispatcher, 'withhold' | 'isWorking'>,
    private readonly shelf: Pick<SessionShelf, 'snapshotsOf'>,
  ) {}

  async changes(taskId: TaskId, from: number, to: number): Promise<readonly FileChange[]> {
    const { run } = this.find(taskId);
    const [before, after] = [treeOf(run, from), treeOf(run, to)];
    return (await this.trees(run)).changes(before, after);
  }

  async readFile(taskId: TaskId, index: number, path: string): Promise<Uint8Array | undefined> {
    const { run } = this.find(taskId);
    const tree = treeOf(run, index);
    return (await this.trees(run)).readFile(tree, path);
  }

  /** Puts the run's files back. The run is not started meanwhile; one that is at work must be between two tool calls. */
  async restore(taskId: TaskId, index: number): Promise<RestoredSnapshot> {
    const { task, run } = this.find(taskId);
    const tree = treeOf(run, index);
    let restored: RestoredSnapshot | undefined;
    await this.dispatcher.withhold(taskId, async () => {
      restored = await this.snapshotsOf(task, run).then((snapshots) => snapshots.restore(index, tree));
    });
    if (!restored) throw new Error('nothing was restored');
    return restored;
  }

  /** Makes a branch of a snapshot in the user's repository. Doing it again answers the branch that is there. */
  async publish(taskId: TaskId, index: number): Promise<{ readonly branch: string; readonly commit: ObjectId }> {
    const { task, run } = this.find(taskId);
    const tree = treeOf(run, index);
    const branch = snapshotBranchOf(taskId, run.attempt, index);
    const message = `${task.spec.title}\n\nThe files of attempt ${run.attempt} as they were at snapshot ${index}. They were not judged as a result.\n\nAirlock-Task: ${taskId}\n`;
    const { commit } = await (await this.trees(run)).publish({ tree, branch, message });
    await this.ports.events.append([{ kind: 'snapshot.published', runId: run.id, index, branch, commit }]);
    return { branch, commit };
  }

  private async snapshotsOf(task: TaskState, run: RunState): Promise<RunSnapshots> {
    const living = this.shelf.snapshotsOf(run.id);
    if (living) return living;
    if (this.dispatcher.isWorking(task.id)) {
      throw new UserError(
        'wrong-state',
        `“${task.spec.title}” is just being started or ended. Try again in a moment.`,
        { taskId: task.id, status: task.status },
      );
    }
    const workspace = await this.ports.workspaces.reopen(run.id);
    if (!workspace) {
      throw new UserError(
        'workspace-gone',
        'The files of this run are not there any more, because its result is published. Make a branch of the snapshot instead.',
        { taskId: task.id },
      );
    }
    return new RunSnapshots(this.ports, { runId: run.id, workspace, settings: this.settings });
  }

  private async trees(run: RunState): Promise<KeptTrees> {
    // Of a run that is at work, what it has in hand: whoever deletes objects and whoever makes them take turns there.
    const trees = this.shelf.snapshotsOf(run.id)?.workspace ?? (await this.ports.workspaces.trees(run.id));
    if (trees) return trees;
    throw new UserError('snapshot-gone', 'The snapshots of this run are not there any more.', { runId: run.id });
  }

  private find(taskId: TaskId): Subject {
    const { tasks, runs } = this.ports.events.state;
    const task = tasks.get(taskId);
    if (!task) throw new UserError('unknown-task', `There is no task ${taskId}.`, { taskId });
    const run = task.runId === null ? undefined : runs.get(task.runId);
    if (!run) throw new UserError('unknown-snapshot', `“${task.spec.title}” has not run yet.`, { taskId });
    return { task, run };
  }
}

function treeOf(run: RunState, index: number): ObjectId {
  const tree = index === 0 ? run.baseTree : run.snapshots.find((snapshot) => snapshot.index === index)?.tree;
  if (tree) return tree;
  const there = [...(run.baseTree ? [0] : []), ...run.snapshots.map((snapshot) => snapshot.index)];
  throw new UserError(
    'unknown-snapshot',
    there.length === 0
      ? 'This run has no snapshots.'
      : `There is no snapshot ${index} of this run; there are: ${there.join(', ')}.`,
    { runId: run.id, index },
  );
}
