import * as l10n from '@vscode/l10n';
import type { LiveState, TaskState } from '../../core/liveState';

/** The groups of the task tree, in their order. */
export const taskGroups = ['needsYou', 'running', 'queued', 'done'] as const;
export type TaskGroup = (typeof taskGroups)[number];

export function groupOf(task: TaskState): TaskGroup {
  switch (task.status) {
    case 'waiting':
      // A lane opens again by itself, so nobody needs to do anything.
      return task.waitingOn === 'lane' ? groupBehindWait(task) : 'needsYou';
    case 'blocked':
      return 'needsYou';
    case 'running':
      return 'running';
    case 'queued':
    case 'accepting':
      return 'queued';
    case 'verified':
    case 'partial':
    case 'unchecked':
    case 'contradicted':
    case 'failed':
    case 'cancelled':
    case 'landed':
    case 'discarded':
      return 'done';
  }
}

function groupBehindWait(task: TaskState): TaskGroup {
  return task.statusBeforeWait === 'running' ? 'running' : 'queued';
}

/** Numbers that are compared one after another; the lower comes first. */
export type Rank = readonly [number, number];

/** Where a task stands in its group: queued by priority and age as they will start, ended ones newest first. */
export function rankOf(state: LiveState, task: TaskState): Rank {
  switch (groupOf(task)) {
    case 'needsYou':
    case 'queued':
      return [task.spec.priority, task.queuedAtMs];
    case 'running':
      return [(task.runId === null ? undefined : state.runs.get(task.runId)?.startedAtMs) ?? task.queuedAtMs, 0];
    case 'done':
      return [-(task.endedAtMs ?? task.changedAtMs), 0];
  }
}

export function groupLabel(group: TaskGroup): string {
  switch (group) {
    case 'needsYou':
      return l10n.t('Needs you');
    case 'running':
      return l10n.t('Running');
    case 'queued':
      return l10n.t('Queued');
    case 'done':
      return l10n.t('Done');
  }
}

/** The names of VS Code's own icons. */
export function groupIcon(group: TaskGroup): string {
  switch (group) {
    case 'needsYou':
      return 'bell-dot';
    case 'running':
      return 'play-circle';
    case 'queued':
      return 'list-ordered';
    case 'done':
      return 'checklist';
  }
}
