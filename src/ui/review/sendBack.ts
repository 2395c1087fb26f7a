import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { TaskId } from '../../core/ids';
import { draftsOf } from '../../core/reviewComment';
import { requireTrust } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';

/** Asks what there is to say besides the comments, and sends the result back. @throws {CancelledError} */
export async function sendBack(link: ExecutorLink, taskId: TaskId): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const task = executor.state.tasks.get(taskId);
  const count = task ? draftsOf(task).length : 0;
  const text = await vscode.window.showInputBox({
    title: l10n.t('Send “{0}” to the Agent', titleOf(link, taskId)),
    prompt: promptFor(count),
    placeHolder: count === 0 ? l10n.t('What is to be done') : l10n.t('What else is to be done; may be empty'),
    ignoreFocusOut: true,
    validateInput: (value) => (count === 0 && value.trim() === '' ? l10n.t('Say what is to be done.') : undefined),
  });
  if (text === undefined) throw new CancelledError();
  await executor.sendBack(taskId, text);
  tellSent(link, taskId);
}

/** Lets the agent join its result with what the branch has become. */
export async function sendBackConflict(link: ExecutorLink, taskId: TaskId): Promise<void> {
  requireTrust();
  await (await link.ready()).sendBackConflict(taskId);
  tellSent(link, taskId);
}

function promptFor(count: number): string {
  if (count === 0) return l10n.t('Its run goes on with its conversation. To comment on a line, use the diff.');
  return count === 1
    ? l10n.t('1 comment goes with it. Its run goes on with its conversation.')
    : l10n.t('{0} comments go with it. Its run goes on with its conversation.', count);
}

function tellSent(link: ExecutorLink, taskId: TaskId): void {
  const title = titleOf(link, taskId);
  const message =
    link.state.queueMode === 'running'
      ? l10n.t('“{0}” is with its agent again.', title)
      : l10n.t('“{0}” goes on when the queue is started.', title);
  vscode.window.setStatusBarMessage(message, 5000);
}

function titleOf(link: ExecutorLink, taskId: TaskId): string {
  return oneLine(link.state.tasks.get(taskId)?.spec.title ?? taskId, 80);
}
