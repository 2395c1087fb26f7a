import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { DeletedData } from '../../core/dataDeletion';
import type { ExecutorLink } from '../executorLink';
import { formatBytes } from '../figures';
import { withCancellableProgress, withTellingProgress } from './progress';

const dayMs = 24 * 3_600_000;

/** Asks how much private data of tasks that are over is to go, says what that comes to, and deletes it. */
export async function deleteData(link: ExecutorLink): Promise<void> {
  const executor = await link.ready();
  const olderThanMs = await pickAge();
  const found = await withCancellableProgress(l10n.t('Counting what would be deleted…'), () =>
    executor.deleteData({ olderThanMs, dryRun: true }),
  );
  if (found.texts === 0 && found.recordings === 0 && found.tasks === 0) {
    void vscode.window.showInformationMessage(l10n.t('There is nothing to delete.'));
    return;
  }
  await confirm(found);
  const deleted = await withTellingProgress(l10n.t('Deleting data'), () =>
    executor.deleteData({ olderThanMs, dryRun: false }),
  );
  void vscode.window.showInformationMessage(l10n.t('Deleted: {0}.', amountOf(deleted)));
}

async function pickAge(): Promise<number> {
  const days = [7, 30, 90].map((count) => ({
    label: l10n.t('Of tasks that ended more than {0} days ago', count),
    olderThanMs: count * dayMs,
  }));
  const picked = await vscode.window.showQuickPick(
    [{ label: l10n.t('Of all tasks that have ended'), olderThanMs: 0 }, ...days],
    { placeHolder: l10n.t('Whose prompts, conversations, outputs and recordings are to be deleted?') },
  );
  if (!picked) throw new CancelledError();
  return picked.olderThanMs;
}

async function confirm(found: DeletedData): Promise<void> {
  const go = l10n.t('Delete');
  const detail = l10n.t(
    'This cannot be undone. What was done, its checks and its cost stay known, and so do branches; a task without its prompt cannot be tried again.',
  );
  const question = l10n.t('Delete {0}?', amountOf(found));
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, go)) !== go)
    throw new CancelledError();
}

function amountOf({ tasks, texts, bytes, recordings }: DeletedData): string {
  return l10n.t(
    '{0} texts ({1}) and {2} recordings, of {3} tasks',
    texts.toLocaleString(),
    formatBytes(bytes),
    recordings.toLocaleString(),
    tasks.toLocaleString(),
  );
}
