import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { Executor } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import { type SelfRunningFile, selfRunningFiles } from '../../core/selfRunning';
import { oneLine } from '../markdownText';

/** A dialog has room for so many; the rest is counted. */
const maxShown = 8;

/**
 * Asks before files are let out that run by themselves, with the user's rights, once they are there.
 * @throws {CancelledError} when the user does not want that.
 */
export async function confirmSelfRunning(
  executor: Executor,
  taskIds: readonly TaskId[],
  files: readonly string[] | undefined,
): Promise<void> {
  const found: SelfRunningFile[] = [];
  for (const taskId of taskIds) found.push(...(await selfRunningFiles(executor, taskId, files)));
  if (found.length === 0) return;
  const question =
    found.length === 1
      ? l10n.t('1 file would run by itself, outside the jail and with your rights. Accept it?')
      : l10n.t('{0} files would run by themselves, outside the jail and with your rights. Accept them?', found.length);
  const accept = l10n.t('Accept');
  const open = l10n.t('Open Changes');
  const [taskId] = taskIds;
  // The first is what Enter does.
  const buttons = taskIds.length === 1 ? [open, accept] : [accept];
  const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail: listed(found) }, ...buttons);
  if (chosen === accept) return;
  if (chosen === open) await vscode.commands.executeCommand('airlock.openChanges', taskId);
  throw new CancelledError();
}

function listed(found: readonly SelfRunningFile[]): string {
  const lines = found.slice(0, maxShown).map(({ path, why }) => `${oneLine(path, 150)}\n${oneLine(why, 250)}`);
  if (found.length > maxShown) lines.push(l10n.t('and {0} more', found.length - maxShown));
  return lines.join('\n\n');
}
