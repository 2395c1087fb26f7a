import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { UserError } from '../../base/errors';
import type { TaskId } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { sidesOf } from './changeSides';
import { resultUri } from './resultFiles';

/** Opens what a task changed in VS Code's multi-diff editor. @throws {UserError} `no-result`, `no-change`. */
export async function openChanges(link: ExecutorLink, taskId: TaskId): Promise<void> {
  const executor = await link.ready();
  const changes = await executor.changes(taskId);
  if (changes.files.length === 0) throw new UserError('no-change', l10n.t('The result changes no file.'));
  const resources = sidesOf(taskId, changes).map(({ left, right }) => {
    const shown = right ?? left;
    return [shown && resultUri(shown), left && resultUri(left), right && resultUri(right)].map(
      (uri) => uri ?? undefined,
    );
  });
  const title = oneLine(link.state.tasks.get(taskId)?.spec.title ?? taskId, 80);
  await vscode.commands.executeCommand('vscode.changes', l10n.t('{0} (changes)', title), resources);
}
