import * as vscode from 'vscode';
import type { TaskId } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import { openChanges } from './openChanges';
import type { Reports } from './reports';

/** A result as it is looked through: the changes, and beside them what is known of it. */
export async function openReview(link: ExecutorLink, reports: Reports, taskId: TaskId): Promise<void> {
  // Looked at again and again, it is always in the same two places.
  await vscode.commands.executeCommand('workbench.action.focusFirstEditorGroup');
  await openChanges(link, taskId);
  await reports.showTask(taskId, { beside: true });
}
