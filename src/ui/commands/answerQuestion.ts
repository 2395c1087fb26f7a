import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { TaskId } from '../../core/ids';
import { runOf } from '../../core/liveState';
import type { ExecutorLink } from '../executorLink';
import { openQuestionOf } from '../tasks/abilities';
import { requireTrust } from './queueActions';

/** Shows what an agent asks and gives it the answer. @throws {CancelledError} when the user gives none. */
export async function answerQuestion(link: ExecutorLink, taskId: TaskId): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const task = executor.state.tasks.get(taskId);
  const question = task && openQuestionOf(task, runOf(executor.state, task));
  const answer = await vscode.window.showInputBox({
    title: task?.spec.title ?? taskId,
    prompt: question ?? '',
    placeHolder: l10n.t('Your answer'),
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === '' ? l10n.t('The answer is empty.') : undefined),
  });
  if (answer === undefined) throw new CancelledError();
  await executor.answer(taskId, answer);
}
