import * as l10n from '@vscode/l10n';
import { isUserError } from '../../base/errors';
import { oneLine } from '../markdownText';
import type { CommandId } from '../commands/commandTable';

/** Why a result was not let out, and what can be done about it, the best first. */
export interface Refusal {
  readonly message: string;
  readonly buttons: readonly RefusalButton[];
}

export interface RefusalButton {
  readonly title: string;
  /** Called with the task. */
  readonly command: CommandId | 'workbench.view.scm';
}

/**
 * `undefined` when the error says all that there is to say.
 * @param hasConflict There is a conflict that can be resolved by hand.
 */
export function wordRefusal(title: string, error: unknown, hasConflict: boolean): Refusal | undefined {
  if (!isUserError(error)) return undefined;
  const buttons = buttonsFor(error.code, hasConflict);
  if (!buttons) return undefined;
  return {
    message: l10n.t('“{0}” is not accepted. {1}', oneLine(title, 80), oneLine(error.message, 900)),
    buttons,
  };
}

function buttonsFor(code: string, hasConflict: boolean): readonly RefusalButton[] | undefined {
  switch (code) {
    case 'landing-conflict':
      // There is room for two.
      return hasConflict ? [resolve(), sendBack()] : [sendBack(), copyBranchName()];
    case 'conflict-beyond':
      return [sendBack(), copyBranchName()];
    case 'landing-check-failed':
      return [{ title: l10n.t('Show Details'), command: 'airlock.showDetails' }, hasConflict ? resolve() : retry()];
    case 'landing-overwrites':
      return [
        { title: l10n.t('Open Source Control'), command: 'workbench.view.scm' },
        hasConflict ? landResolved() : acceptAgain(),
      ];
    case 'landing-moved':
    case 'landing-outdated':
      return [acceptAgain()];
    case 'landing-empty':
      return [openChanges(), { title: l10n.t('Discard…'), command: 'airlock.discard' }];
    case 'landing-detached':
    case 'landing-target':
      return [{ title: l10n.t('Accept Onto Branch…'), command: 'airlock.acceptOnto' }];
    default:
      return undefined;
  }
}

function copyBranchName(): RefusalButton {
  return { title: l10n.t('Copy Branch Name'), command: 'airlock.copyBranchName' };
}

function resolve(): RefusalButton {
  return { title: l10n.t('Resolve in Merge Editor'), command: 'airlock.resolveConflict' };
}

function landResolved(): RefusalButton {
  return { title: l10n.t('Land Resolved Files'), command: 'airlock.landResolved' };
}

function sendBack(): RefusalButton {
  return { title: l10n.t('Send to the Agent'), command: 'airlock.sendBackConflict' };
}

function openChanges(): RefusalButton {
  return { title: l10n.t('Open Changes'), command: 'airlock.openChanges' };
}

function retry(): RefusalButton {
  return { title: l10n.t('Retry'), command: 'airlock.retryTask' };
}

function acceptAgain(): RefusalButton {
  return { title: l10n.t('Accept Again'), command: 'airlock.accept' };
}
