import { isLanding, type RunState, type TaskState } from '../../core/liveState';
import { isEnded } from '../../core/task';

/** One of VS Code's own icons, in one of its theme's own colours. */
export interface RowIcon {
  readonly id: string;
  readonly color: string | null;
}

export function iconOf(task: TaskState, run: RunState | undefined): RowIcon {
  if (isLanding(task)) return { id: 'loading~spin', color: 'charts.purple' };
  if (isEnded(task.status) && task.landing?.phase === 'failed') {
    return { id: 'git-pull-request-closed', color: 'list.warningForeground' };
  }
  switch (task.status) {
    case 'queued':
      return { id: 'circle-large-outline', color: null };
    case 'accepting':
      return { id: 'cloud-download', color: null };
    case 'running':
      return run?.phase === 'checking'
        ? { id: 'beaker', color: 'charts.blue' }
        : { id: 'loading~spin', color: 'charts.blue' };
    case 'blocked':
      return { id: 'circle-slash', color: 'list.warningForeground' };
    case 'waiting':
      return task.paused ? { id: 'debug-pause', color: null } : waitingIcon(task.waitingOn);
    case 'verified':
      return { id: 'verified-filled', color: 'testing.iconPassed' };
    case 'partial':
      return { id: 'pass', color: 'list.warningForeground' };
    case 'unchecked':
      return { id: 'question', color: 'list.warningForeground' };
    case 'contradicted':
      return { id: 'warning', color: 'testing.iconFailed' };
    case 'failed':
      return { id: 'error', color: 'testing.iconFailed' };
    case 'cancelled':
      return { id: 'circle-slash', color: 'testing.iconSkipped' };
    case 'landed':
      return { id: 'git-merge', color: 'charts.purple' };
    case 'discarded':
      return { id: 'trash', color: 'testing.iconSkipped' };
  }
}

function waitingIcon(on: TaskState['waitingOn']): RowIcon {
  switch (on) {
    case 'budget':
      return { id: 'credit-card', color: 'list.warningForeground' };
    case 'lane':
      return { id: 'watch', color: null };
    case 'user':
    case null:
      return { id: 'bell-dot', color: 'list.warningForeground' };
  }
}
