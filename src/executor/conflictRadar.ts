import type { Disposable } from '../base/disposable';
import { DisposableStore } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { ObjectId, RunId, TaskId } from '../core/ids';
import { runOf, type LiveState, type TaskState } from '../core/liveState';
import type { Overlap } from '../core/overlapEvents';
import type { ExecutorPorts } from './ports';

/** A run writes a snapshot with each turn: what came meanwhile is looked at together. */
const delayMs = 2_000;
/** A run is compared with so many others, the newest first. */
const maxOthers = 20;
const maxFiles = 20;

/** What a task has made so far, and what of. */
interface Side {
  readonly taskId: TaskId;
  readonly runId: RunId;
  readonly repo: string;
  readonly base: ObjectId;
  readonly tree: ObjectId;
}

type Ports = Pick<ExecutorPorts, 'events' | 'workspaces' | 'clock' | 'logger'>;

/**
 * Finds runs of one repository that touch the same lines while they still run, and results that wait to be let out: pairs of their
 * newest snapshots are merged in a git jail, one after another, off the way of everything else. Only what has changed is looked at.
 */
export class ConflictRadar implements Disposable {
  private readonly store = new DisposableStore();
  private readonly due = new Set<TaskId>();
  /** What came of two trees: the same two are not merged twice. */
  private readonly known = new Map<string, readonly string[]>();
  private timer: Disposable | undefined;
  private looking: Promise<void> | undefined;
  private ended = false;

  constructor(private readonly ports: Ports) {}

  start(): void {
    this.store.add(
      this.ports.events.onDidAppend((events) => {
        for (const event of events) {
          if (event.kind === 'snapshot.taken' || event.kind === 'run.ended') {
            const taskId = this.state.runs.get(event.runId)?.taskId;
            if (taskId !== undefined) this.lookLater(taskId);
          }
          const isDecided = event.kind === 'task.landed' || event.kind === 'task.discarded';
          if (isDecided || event.kind === 'task.unlanded') this.lookLater(event.taskId);
        }
      }),
    );
  }

  /** Resolves when nothing is being looked at. */
  async settled(): Promise<void> {
    await this.looking;
  }

  dispose(): void {
    this.ended = true;
    this.timer?.dispose();
    this.store.dispose();
  }

  private get state(): LiveState {
    return this.ports.events.state;
  }

  private lookLater(taskId: TaskId): void {
    this.due.add(taskId);
    if (this.timer || this.looking || this.ended) return;
    this.timer = this.ports.clock.setTimer(delayMs, () => {
      this.timer = undefined;
      this.looking = this.lookAtDue().finally(() => {
        this.looking = undefined;
        const [next] = this.due;
        if (next !== undefined) this.lookLater(next);
      });
    });
  }

  private async lookAtDue(): Promise<void> {
    const due = [...this.due];
    this.due.clear();
    for (const taskId of due) {
      if (this.ended) return;
      try {
        await this.look(taskId);
      } catch (error) {
        this.ports.logger.debug('Overlaps could not be found', { taskId, reason: messageOf(error) });
      }
    }
  }

  private async look(taskId: TaskId): Promise<void> {
    const task = this.state.tasks.get(taskId);
    const side = task && sideOf(this.state, task);
    const found = new Map<TaskId, readonly string[]>();
    if (side) {
      for (const other of this.othersOf(side)) {
        const files = await this.compare(side, other);
        if (files.length > 0) found.set(other.taskId, files);
      }
    }
    await this.tell(taskId, found);
  }

  private othersOf(side: Side): Side[] {
    return [...this.state.tasks.values()]
      .flatMap((task) => (task.id === side.taskId ? [] : (sideOf(this.state, task) ?? [])))
      .filter(({ repo, base }) => repo === side.repo && base === side.base)
      .slice(-maxOthers);
  }

  private async compare(side: Side, other: Side): Promise<readonly string[]> {
    const key = [side.base, ...[side.tree, other.tree].sort()].join(' ');
    const before = this.known.get(key);
    if (before) return before;
    const files = (await this.ports.workspaces.conflicts(side.base, side, other)).slice(0, maxFiles);
    this.known.set(key, files);
    const [oldest] = this.known.keys();
    if (this.known.size > 1000 && oldest !== undefined) this.known.delete(oldest);
    return files;
  }

  /** Both of a pair are told; those that it was told with before, and is not any more, too. */
  private async tell(taskId: TaskId, found: ReadonlyMap<TaskId, readonly string[]>): Promise<void> {
    const own = [...found].map(([other, files]): Overlap => ({ with: other, files: [...files] }));
    const before = this.state.tasks.get(taskId)?.overlaps ?? [];
    const others = new Set([...before.map((overlap) => overlap.with), ...found.keys()]);
    const wanted = [...others].map((other) => {
      const rest = (this.state.tasks.get(other)?.overlaps ?? []).filter((overlap) => overlap.with !== taskId);
      const files = found.get(other);
      return { taskId: other, overlaps: files ? [...rest, { with: taskId, files: [...files] }] : rest };
    });
    const bodies = [{ taskId, overlaps: own }, ...wanted].filter(
      (each) =>
        this.state.tasks.has(each.taskId) &&
        JSON.stringify(each.overlaps) !== JSON.stringify(this.state.tasks.get(each.taskId)?.overlaps ?? []),
    );
    if (bodies.length === 0 || this.ended) return;
    await this.ports.events.append(bodies.map((body) => ({ kind: 'overlap.found', ...body })));
  }
}

/** What is to be compared: the newest snapshot of a run that goes on, or a result that waits to be let out. */
function sideOf(state: LiveState, task: TaskState): Side | undefined {
  const run = runOf(state, task);
  if (!run?.baseTree) return undefined;
  const isWaiting = task.status === 'verified' || task.status === 'partial' || task.status === 'unchecked';
  const tree = run.outcome === null ? run.snapshots.at(-1)?.tree : isWaiting ? run.resultTree : null;
  if (!tree || tree === run.baseTree) return undefined;
  return { taskId: task.id, runId: run.id, repo: run.repo, base: run.baseTree, tree };
}
