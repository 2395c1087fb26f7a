import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, UserError } from '../../base/errors';
import type { TaskId } from '../../core/ids';
import { runOf, type RunState } from '../../core/liveState';
import { withCancellableProgress } from '../commands/progress';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { filesWord } from '../tasks/taskRow';
import { resultUri } from './resultFiles';
import { snapshotChoices, snapshotCommit, snapshotLabel } from './snapshotWords';

/** Asks for two snapshots and shows what changed from one to the other. */
export async function compareSnapshots(link: ExecutorLink, taskId: TaskId): Promise<void> {
  const run = runIn(link, taskId);
  const older = await pickSnapshot(run, l10n.t('Compare which snapshot?'), () => true);
  const newer = await pickSnapshot(
    run,
    l10n.t('{0}, with which one?', snapshotLabel(older)),
    (index) => index !== older,
  );
  await openSnapshotChanges(link, taskId, [older, newer]);
}

/** Puts the files of a task's last run back to a snapshot that the user chooses. */
export async function restoreSnapshot(link: ExecutorLink, taskId: TaskId): Promise<void> {
  const index = await pickSnapshot(runIn(link, taskId), l10n.t('Put the files back to which snapshot?'), () => true);
  const restore = l10n.t('Restore');
  const detail = l10n.t(
    'What the files are now is kept as another snapshot before. The agent learns what changed with its next turn.',
  );
  const question = l10n.t('Restore {0} of “{1}”?', snapshotLabel(index), titleOf(link, taskId));
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, restore)) !== restore) {
    throw new CancelledError();
  }
  await putBack(link, taskId, index);
}

/** Makes a branch of a snapshot that the user chooses. */
export async function keepSnapshot(link: ExecutorLink, taskId: TaskId): Promise<void> {
  const run = runIn(link, taskId);
  const index = await pickSnapshot(run, l10n.t('Make a branch of which snapshot?'), (each) => each !== 0);
  const { branch } = await (await link.ready()).publishSnapshot(taskId, index);
  void tellBranch(branch);
}

async function putBack(link: ExecutorLink, taskId: TaskId, index: number): Promise<void> {
  const executor = await link.ready();
  const { savedAs, files } = await executor.restoreSnapshot(taskId, index);
  void tellRestored(link, taskId, { index, savedAs, count: files.length });
}

async function tellRestored(
  link: ExecutorLink,
  taskId: TaskId,
  { index, savedAs, count }: { readonly index: number; readonly savedAs: number; readonly count: number },
): Promise<void> {
  const message = l10n.t(
    '“{0}” is as it was at {1} ({2}). What was there before is {3}.',
    titleOf(link, taskId),
    snapshotLabel(index),
    filesWord(count),
    snapshotLabel(savedAs),
  );
  const open = l10n.t('Open Changes');
  const chosen = await vscode.window.showInformationMessage(message, ...(count > 0 ? [open] : []));
  if (chosen === open) await openSnapshotChanges(link, taskId, [savedAs, index]);
}

async function tellBranch(branch: string): Promise<void> {
  const copy = l10n.t('Copy Branch Name');
  const chosen = await vscode.window.showInformationMessage(l10n.t('The snapshot is on the branch {0}.', branch), copy);
  if (chosen === copy) await vscode.env.clipboard.writeText(branch);
}

/** Opens what changed between two snapshots in the multi-diff editor. @throws {UserError} `no-change`. */
async function openSnapshotChanges(
  link: ExecutorLink,
  taskId: TaskId,
  [from, to]: readonly [number, number],
): Promise<void> {
  const executor = await link.ready();
  const reading = l10n.t('Reading the changes…');
  const files = await withCancellableProgress(reading, async () => executor.snapshotChanges(taskId, from, to));
  if (files.length === 0) throw new UserError('no-change', l10n.t('The two snapshots are the same.'));
  const run = runIn(link, taskId);
  const uri = (index: number, path: string): vscode.Uri | undefined => {
    const commit = snapshotCommit(run, index);
    return commit === undefined ? undefined : resultUri({ taskId, side: 'snapshot', index, commit, path });
  };
  const resources = files.map(({ kind, path, oldPath }) => {
    const left = kind === 'added' ? undefined : uri(from, oldPath ?? path);
    const right = kind === 'deleted' ? undefined : uri(to, path);
    return [right ?? left, left, right];
  });
  const title = l10n.t('{0}: {1} ↔ {2}', titleOf(link, taskId), snapshotLabel(from), snapshotLabel(to));
  await vscode.commands.executeCommand('vscode.changes', title, resources);
}

async function pickSnapshot(run: RunState, question: string, isOffered: (index: number) => boolean): Promise<number> {
  const choices = snapshotChoices(run).filter(({ index }) => isOffered(index));
  const picked = await vscode.window.showQuickPick(choices, { placeHolder: question, matchOnDescription: true });
  if (!picked) throw new CancelledError();
  return picked.index;
}

function runIn(link: ExecutorLink, taskId: TaskId): RunState {
  const task = link.state.tasks.get(taskId);
  const run = task && runOf(link.state, task);
  if (run) return run;
  throw new UserError('unknown-snapshot', l10n.t('There are no snapshots of this task.'));
}

function titleOf(link: ExecutorLink, taskId: TaskId): string {
  return oneLine(link.state.tasks.get(taskId)?.spec.title ?? taskId, 80);
}
