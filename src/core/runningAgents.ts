import type { RunId, TaskId } from './ids';
import { runOf, type LiveState } from './liveState';
import type { TaskStatus } from './task';

/** An agent that has begun and not ended, as others may know it. */
export interface RunningAgent {
  readonly taskId: TaskId;
  readonly runId: RunId;
  readonly title: string;
  readonly persona: string;
  readonly repo: string;
  readonly status: TaskStatus;
  readonly phase: string;
  /** What it is doing, in its own words. */
  readonly activity: string;
  readonly unread: number;
}

/** The agents that are at work or wait in their work, by the age of their runs. It is a view of the live state. */
export function runningAgents(state: LiveState): RunningAgent[] {
  return [...state.tasks.values()]
    .flatMap((task) => {
      const run = runOf(state, task);
      return run && run.outcome === null ? [{ task, run }] : [];
    })
    .sort((a, b) => a.run.startedAtMs - b.run.startedAtMs)
    .map(({ task, run }) => ({
      taskId: task.id,
      runId: run.id,
      title: task.spec.title,
      persona: run.persona,
      repo: run.repo,
      status: task.status,
      phase: run.phase,
      activity: run.activity,
      unread: task.inbox?.length ?? 0,
    }));
}
