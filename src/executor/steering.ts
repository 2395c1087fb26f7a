import { UserError } from '../base/errors';
import type { EventBody } from '../core/events';
import type { TaskId } from '../core/ids';
import type { LiveState, TaskState } from '../core/liveState';
import { isEnded } from '../core/task';
import { startRankOf } from '../core/taskRank';
import type { Dispatcher } from './dispatcher';
import type { ExecutorPorts } from './ports';
import { compareTasks } from './taskOrder';

/** The least distance of two places in the order, in milliseconds; numbers of this size tell no less apart. */
const leastGap = 0.01;

/** What the user does to the order and to single tasks, sources and reports, beside starting and ending them. */
export class Steering {
  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events'>,
    private readonly dispatcher: Pick<Dispatcher, 'withhold' | 'interrupt'>,
  ) {}

  async pauseTask(taskId: TaskId): Promise<void> {
    const task = foundTask(this.state, taskId);
    if (isEnded(task.status) || task.paused) throw wrongState(task, 'paused');
    await this.dispatcher.withhold(taskId, async () => {
      await this.dispatcher.interrupt(taskId, 'stop');
      if (isEnded(task.status)) throw wrongState(task, 'paused');
      await this.ports.events.append([{ kind: 'task.paused', taskId }]);
    });
  }

  async resumeTask(taskId: TaskId): Promise<void> {
    const task = foundTask(this.state, taskId);
    if (!task.paused) throw wrongState(task, 'resumed');
    await this.ports.events.append([{ kind: 'task.requeued', taskId, reason: '', notBeforeMs: 0 }]);
  }

  async moveTask(taskId: TaskId, before: TaskId | null): Promise<void> {
    const task = foundTask(this.state, taskId);
    if (isEnded(task.status)) throw wrongState(task, 'moved');
    const others = [...this.state.tasks.values()]
      .filter((other) => other !== task && !isEnded(other.status))
      .sort(compareTasks);
    const at = before === null ? others.length : others.indexOf(foundTask(this.state, before));
    if (at < 0) throw wrongState(foundTask(this.state, before ?? taskId), 'a place to move another one to');
    const moves = placesFor(task, others, at);
    if (moves.length > 0) await this.ports.events.append(moves);
  }

  async retryReport(taskId: TaskId): Promise<void> {
    foundTask(this.state, taskId);
    const dead = [...this.state.reports.values()].filter(
      ({ report, status }) => report.taskId === taskId && status === 'dead',
    );
    if (dead.length === 0)
      throw new UserError('no-dead-report', 'No report of this task was refused by its source.', { taskId });
    await this.ports.events.append(
      dead.map(({ report }) => ({ kind: 'report.revived', taskId, reportId: report.reportId })),
    );
  }

  pauseSource(sourceId: string): Promise<void> {
    return this.setSource(sourceId, true);
  }

  resumeSource(sourceId: string): Promise<void> {
    return this.setSource(sourceId, false);
  }

  private async setSource(sourceId: string, paused: boolean): Promise<void> {
    const { sources, pausedSources } = this.state;
    if (!sources.has(sourceId) && !pausedSources.has(sourceId)) {
      const names = [...sources.keys()].join(', ') || 'none';
      throw new UserError('unknown-source', `There is no source ${sourceId}. There is: ${names}.`, { sourceId });
    }
    if (pausedSources.has(sourceId) === paused) return;
    await this.ports.events.append([{ kind: 'source.paused', sourceId, paused }]);
  }

  private get state(): LiveState {
    return this.ports.events.state;
  }
}

/** @throws {UserError} `unknown-task`. */
export function foundTask(state: LiveState, taskId: TaskId): TaskState {
  const task = state.tasks.get(taskId);
  if (!task) throw new UserError('unknown-task', `There is no task ${taskId}.`, { taskId });
  return task;
}

export function wrongState(task: TaskState, verb: string): UserError {
  return new UserError('wrong-state', `“${task.spec.title}” is ${task.status}: it cannot be ${verb} now.`, {
    taskId: task.id,
    status: task.status,
  });
}

/** Gives `task` the place before `others[at]`; where there is no room between two, those behind move on a little. */
function placesFor(task: TaskState, others: readonly TaskState[], at: number): EventBody[] {
  const [before, behind] = [others[at - 1], others[at]];
  const low = before ? startRankOf(before) : behind ? startRankOf(behind) - 1000 : startRankOf(task);
  const high = behind ? startRankOf(behind) : low + 1000;
  let last = high - low > 2 * leastGap ? (low + high) / 2 : low + leastGap;
  const moves: EventBody[] = [{ kind: 'task.moved', taskId: task.id, rank: last }];
  for (const other of others.slice(at)) {
    if (startRankOf(other) > last) break;
    last += leastGap;
    moves.push({ kind: 'task.moved', taskId: other.id, rank: last });
  }
  return moves;
}
