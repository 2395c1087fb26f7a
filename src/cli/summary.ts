import { runOf, type LiveState, type RunState, type TaskState } from '../core/liveState';
import { totalTokens } from '../core/usage';
import { costText, durationText, oneLine, tableText } from './words';

const header = ['task', 'verdict', 'branch', 'files', 'tokens', 'cost', 'time'];

/** What came of the tasks: a row each, and the reason below those that did not come out well. */
export function summaryText(state: LiveState, tasks: readonly TaskState[]): string {
  if (tasks.length === 0) return 'There was nothing to work off.';
  const rows = tasks.map((task) => row(task, runOf(state, task)));
  const reasons = tasks.filter((task) => task.reason !== '').map((task) => `${task.id}: ${oneLine(task.reason, 300)}`);
  return [tableText(header, rows), ...(reasons.length > 0 ? ['', ...reasons] : [])].join('\n');
}

function row(task: TaskState, run: RunState | undefined): string[] {
  if (!run) return [oneLine(task.spec.title, 44), task.status, '–', '–', '–', '–', '–'];
  return [
    oneLine(task.spec.title, 44),
    task.status,
    run.branch ?? '–',
    String(run.filesChanged),
    String(totalTokens(run.usage)),
    costText(run.costUsd),
    run.endedAtMs === null ? '–' : durationText(run.endedAtMs - run.startedAtMs),
  ];
}

/** 0: everything ended well. 1: something failed or was contradicted. 2: something could not be run at all. */
export function exitCodeFor(tasks: readonly TaskState[]): 0 | 1 | 2 {
  if (tasks.some((task) => task.status === 'waiting' || task.status === 'blocked')) return 2;
  return tasks.some((task) => task.status === 'failed' || task.status === 'contradicted') ? 1 : 0;
}
