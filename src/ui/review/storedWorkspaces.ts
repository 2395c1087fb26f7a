import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { Executor } from '../../core/executor';
import { isLanding } from '../../core/liveState';
import type { StoredWorkspace } from '../../core/storedWorkspace';
import { withCancellableProgress, withTellingProgress } from '../commands/progress';
import type { ExecutorLink } from '../executorLink';
import { formatBytes } from '../figures';
import { oneLine } from '../markdownText';

/** Asks which workspaces of runs that are over are to be deleted, and deletes them. */
export async function cleanWorkspaces(link: ExecutorLink): Promise<void> {
  const executor = await link.ready();
  const all = await withCancellableProgress(l10n.t('Looking at the workspaces…'), () => executor.workspaces());
  const inUse = new Set(
    [...executor.state.tasks.values()].flatMap((task) => (isLanding(task) ? task.landing?.runId : [])),
  );
  const offered = all.filter(({ state, runId }) => state !== 'living' && state !== 'warm' && !inUse.has(runId));
  if (offered.length === 0) {
    void vscode.window.showInformationMessage(l10n.t('There is nothing to clean up.'));
    return;
  }
  const chosen = await pickWorkspaces(executor, offered);
  await confirmLoss(chosen);
  const bytes = await withTellingProgress(l10n.t('Cleaning up workspaces'), async (tell) => {
    let freed = 0;
    for (const { runId } of chosen) {
      tell(runId);
      const cleaned = await executor.cleanWorkspaces({ olderThanMs: 0, dryRun: false, force: runId });
      for (const { removed, sizeBytes } of cleaned) if (removed) freed += sizeBytes ?? 0;
    }
    return freed;
  });
  void vscode.window.showInformationMessage(l10n.t('{0} were freed.', formatBytes(bytes)));
}

async function pickWorkspaces(executor: Executor, offered: readonly StoredWorkspace[]): Promise<StoredWorkspace[]> {
  const items = offered
    .toSorted((a, b) => (b.sizeBytes ?? 0) - (a.sizeBytes ?? 0))
    .map((workspace) => ({
      label: nameOf(executor, workspace),
      description: workspace.sizeBytes === null ? l10n.t('size unknown') : formatBytes(workspace.sizeBytes),
      detail: `${stateWords(workspace)} · ${new Date(workspace.sinceMs).toLocaleString()}`,
      picked: !holdsWork(workspace),
      workspace,
    }));
  const picked = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    matchOnDetail: true,
    placeHolder: l10n.t('Which workspaces are to be deleted?'),
  });
  if (!picked || picked.length === 0) throw new CancelledError();
  return picked.map(({ workspace }) => workspace);
}

/** What is in no branch is gone for good. */
async function confirmLoss(chosen: readonly StoredWorkspace[]): Promise<void> {
  const count = chosen.filter(holdsWork).length;
  if (count === 0) return;
  const discard = l10n.t('Delete');
  const question = l10n.t('Delete work that may be in no branch? It is in {0} of the chosen workspaces.', count);
  if ((await vscode.window.showWarningMessage(question, { modal: true }, discard)) !== discard) {
    throw new CancelledError();
  }
}

function holdsWork({ state }: StoredWorkspace): boolean {
  return state === 'unlanded' || state === 'orphan';
}

function nameOf({ state }: Executor, { taskId, runId }: StoredWorkspace): string {
  return oneLine((taskId !== null && state.tasks.get(taskId)?.spec.title) || runId, 100);
}

function stateWords({ state }: StoredWorkspace): string {
  switch (state) {
    case 'living':
      return l10n.t('its run has not ended');
    case 'warm':
      return l10n.t('ready for the next task');
    case 'published':
      return l10n.t('snapshots of a run whose result is on a branch');
    case 'unlanded':
      return l10n.t('files that may be in no branch');
    case 'orphan':
      return l10n.t('files of an earlier attempt');
    case 'remains':
      return l10n.t('remains, with nothing to lose');
  }
}
