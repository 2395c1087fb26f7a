import * as l10n from '@vscode/l10n';
import type { TaskState } from '../../core/liveState';

/** A task's state in a word or two. */
export function statusWord(task: Pick<TaskState, 'status' | 'waitingOn' | 'paused'>): string {
  switch (task.status) {
    case 'queued':
      return l10n.t('queued');
    case 'accepting':
      return l10n.t('being accepted');
    case 'running':
      return l10n.t('running');
    case 'blocked':
      return l10n.t('blocked');
    case 'waiting':
      return task.paused ? l10n.t('paused') : waitingWord(task.waitingOn);
    case 'verified':
      return l10n.t('verified');
    case 'partial':
      return l10n.t('partial');
    case 'unchecked':
      return l10n.t('unchecked');
    case 'contradicted':
      return l10n.t('contradicted');
    case 'failed':
      return l10n.t('failed');
    case 'cancelled':
      return l10n.t('cancelled');
    case 'landed':
      return l10n.t('landed');
    case 'discarded':
      return l10n.t('discarded');
  }
}

function waitingWord(on: TaskState['waitingOn']): string {
  switch (on) {
    case 'budget':
      return l10n.t('waits for its budget');
    case 'lane':
      return l10n.t('waits for the model');
    case 'user':
    case null:
      return l10n.t('waits for you');
  }
}
