import type { TaskId } from '../core/ids';
import { isLanding, isOutdated, runOf, type LiveState, type TaskState } from '../core/liveState';
import { isEnded } from '../core/task';
import type { Dispatcher } from './dispatcher';
import type { LaneGovernor } from './laneGovernor';
import type { ExecutorPorts } from './ports';
import { foundTask, wrongState } from './steering';
import { needsWord } from './userQuestions';

/** Lets tasks begin or go on that would not by themselves: because the user says so, or because what they waited for is there. */
export class Tries {
  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events'>,
    private readonly dispatcher: Pick<Dispatcher, 'isWorking' | 'interrupt' | 'runSoon'>,
    private readonly lanes: Pick<LaneGovernor, 'releaseAll'>,
  ) {}

  async retry(taskId: TaskId): Promise<void> {
    const task = foundTask(this.state, taskId);
    // A run that was being left already as it was interrupted waits still.
    if ((await this.triedAnew([task])) && task.status !== 'waiting') return;
    if (task.status === 'waiting' || task.status === 'blocked') {
      await this.ports.events.append([{ kind: 'task.requeued', taskId, reason: '', notBeforeMs: 0 }]);
      return;
    }
    if (!canBeRetried(task)) throw wrongState(task, 'retried');
    await this.ports.events.append([{ kind: 'task.requeued', taskId, reason: '', notBeforeMs: 0 }]);
  }

  async runNow(taskId: TaskId): Promise<void> {
    const task = foundTask(this.state, taskId);
    if (task.status !== 'queued' && task.status !== 'waiting' && task.status !== 'blocked')
      throw wrongState(task, 'started');
    if (task.status !== 'queued') await this.retry(taskId);
    this.dispatcher.runSoon(taskId);
  }

  /** The key or the server has changed: what waited for it goes on. */
  async credentialsChanged(): Promise<void> {
    const waiting = [...this.state.tasks.values()].filter((task) => {
      const run = runOf(this.state, task);
      const isOpen = run !== undefined && run.outcome === null && !needsWord(run);
      return task.status === 'waiting' && !task.paused && isOpen;
    });
    await this.triedAnew(waiting);
    const resting = waiting.filter(({ status }) => status === 'waiting');
    if (resting.length === 0) return;
    await this.ports.events.append(
      resting.map(({ id }) => ({ kind: 'task.requeued', taskId: id, reason: '', notBeforeMs: 0 })),
    );
  }

  /** Runs that wait where they are, for their lane or their user, go back into the queue. @returns whether there were any. */
  private async triedAnew(tasks: readonly TaskState[]): Promise<boolean> {
    const held = tasks.filter(({ id, status }) => status === 'waiting' && this.dispatcher.isWorking(id));
    if (held.length === 0) return false;
    if (held.some(({ waitingOn }) => waitingOn === 'lane')) this.lanes.releaseAll();
    await Promise.all(held.map(({ id }) => this.dispatcher.interrupt(id, 'stop')));
    return true;
  }

  private get state(): LiveState {
    return this.ports.events.state;
  }
}

/** A verified result is not done anew, unless it does not go with what its branch has become. */
function canBeRetried(task: TaskState): boolean {
  if (!isEnded(task.status) || task.status === 'landed' || isLanding(task)) return false;
  return task.status !== 'verified' || isOutdated(task);
}
