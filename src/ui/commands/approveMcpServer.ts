import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { TaskId } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import { requireTrust } from './queueActions';

/**
 * Shows all that a repository's MCP server is, and lets it run as it is when the user says so; then its task goes on.
 * @throws {CancelledError} when the user does not.
 */
export async function approveMcpServer(link: ExecutorLink, taskId: TaskId): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const task = executor.state.tasks.get(taskId);
  if (task?.mcpServer === undefined) return;
  const yes = l10n.t('Approve');
  const question = l10n.t('Let this server of the repository run for all tasks here, as long as it stays as it is?');
  const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail: task.reason }, yes);
  if (chosen !== yes) throw new CancelledError();
  const section = vscode.workspace.getConfiguration('airlock');
  // As it is in the user's own settings: a workspace has no say in it.
  const approved = section.inspect<readonly string[]>('mcp.approved')?.globalValue ?? [];
  const known = [...new Set([...approved, task.mcpServer])];
  await section.update('mcp.approved', known, vscode.ConfigurationTarget.Global);
  await executor.retry(taskId);
}
