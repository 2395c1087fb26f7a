import * as l10n from '@vscode/l10n';
import type { LiveState, TaskState } from '../../core/liveState';
import { isEnded } from '../../core/task';
import { arrivalOf, startRankOf } from '../../core/taskRank';
import { needsReview } from './lookedAt';

/** The groups of the task tree, in their order. */
export const taskGroups = ['needsYou', 'running', 'queued', 'done'] as const;
export type TaskGroup = (typeof taskGroups)[number];

/**
 * @param wasLookedAt The user has seen its result.
 * @param isUnreported Its source refused the report of it, and the user has not given that up.
 */
export function groupOf(task: TaskState, wasLookedAt: boolean, isUnreported = false): TaskGroup {
  if (isEnded(task.status)) return isUnreported || (needsReview(task) && !wasLookedAt) ? 'needsYou' : 'done';
  // Whoever paused it knows that it waits.
  if (task.paused) return 'queued';
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
  }
}

function groupBehindWait(task: TaskState): TaskGroup {
  return task.statusBeforeWait === 'running' ? 'running' : 'queued';
}

/** Numbers that are compared one after another; the lower comes first. */
export type Rank = readonly [number, number];

/** Behind every priority: what holds work up comes before results that only want a look. */
const behindWaiting = 10;

/** Where a task stands in its group: queued as they will start, ended ones newest first. */
export function rankOf(state: LiveState, task: TaskState, group: TaskGroup): Rank {
  switch (group) {
    case 'needsYou':
      return isEnded(task.status)
        ? [behindWaiting, -(task.endedAtMs ?? task.changedAtMs)]
        : [task.spec.priority, task.queuedAtMs];
    case 'queued':
      return [startRankOf(task), arrivalOf(task)];
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
