import * as l10n from '@vscode/l10n';
import type { LandingState, TaskState } from '../../core/liveState';

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

/** How far a result is on its way out; empty while nobody has asked for that. */
export function landingPhrase({
  status,
  landing,
  landingWaits,
}: Pick<TaskState, 'status' | 'landing' | 'landingWaits'>): string {
  if (landingWaits) return l10n.t('waits for its turn to be let out');
  if (!landing) return '';
  const branch = branchName(landing.ref);
  switch (landing.phase) {
    case 'merging':
      return landing.checks.length === 0
        ? l10n.t('being laid over {0}', branch)
        : l10n.t('being checked on {0}', branch);
    case 'moving':
      return l10n.t('moving {0}', branch);
    case 'landed':
      return l10n.t('landed on {0}', branch);
    case 'failed':
      return status === 'discarded' ? '' : l10n.t('not accepted: {0}', obstacle(landing));
  }
}

/** What was in the way of a result, in a few words. */
function obstacle(landing: LandingState): string {
  switch (landing.code) {
    case 'landing-conflict':
      return landing.files.length === 1
        ? l10n.t('conflict in {0}', landing.files[0] ?? '')
        : l10n.t('conflicts in {0} files', landing.files.length);
    case 'landing-check-failed':
      return l10n.t('a check fails on {0}', branchName(landing.ref));
    case 'landing-overwrites':
      return l10n.t('uncommitted changes are in the way');
    case 'landing-moved':
      return l10n.t('{0} moved meanwhile', branchName(landing.ref));
    case 'landing-empty':
      return l10n.t('{0} has it already', branchName(landing.ref));
    default:
      return landing.reason;
  }
}

export function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}
