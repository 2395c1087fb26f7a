import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, UserError } from '../../base/errors';
import type { Executor } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import type { FileChange } from '../../core/workspace';
import { oneLine } from '../markdownText';

/** Asks for the branch that results are to go to. @throws {CancelledError} when the user gives up. */
export async function pickBranch(executor: Executor, taskId: TaskId): Promise<string> {
  const { checkedOut, branches } = await executor.landingTargets(taskId);
  if (branches.length === 0) throw new UserError('landing-target', l10n.t('The repository has no branch yet.'));
  const items = branches.map((branch) => ({
    label: oneLine(branch, 200),
    description: branch === checkedOut ? l10n.t('checked out') : '',
    iconPath: new vscode.ThemeIcon('git-branch'),
    branch,
  }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: l10n.t('Onto which branch?') });
  if (!picked) throw new CancelledError();
  return picked.branch;
}

/** Asks which files of a result are to be let out. @throws {CancelledError} when the user gives up or picks none. */
export async function pickFiles(executor: Executor, taskId: TaskId): Promise<readonly string[] | undefined> {
  const { files } = await executor.changes(taskId);
  const items = files.map((change) => ({
    label: oneLine(change.path, 200),
    description: changeWords(change),
    picked: true,
    path: change.path,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    matchOnDescription: true,
    placeHolder: l10n.t('Which files are to be accepted?'),
  });
  if (!picked || picked.length === 0) throw new CancelledError();
  // All of them is the result as it was checked.
  return picked.length === files.length ? undefined : picked.map(({ path }) => path);
}

/** What became of a file, such as `added, +12 −0`. */
function changeWords({ kind, oldPath, insertions, deletions }: FileChange): string {
  const lines = insertions === null || deletions === null ? l10n.t('binary') : `+${insertions} −${deletions}`;
  return [kindWord(kind, oldPath), lines].filter((part) => part !== '').join(', ');
}

function kindWord(kind: FileChange['kind'], oldPath: string | null): string {
  switch (kind) {
    case 'added':
      return l10n.t('added');
    case 'deleted':
      return l10n.t('deleted');
    case 'renamed':
      return l10n.t('renamed from {0}', oneLine(oldPath ?? '', 200));
    case 'typeChanged':
      return l10n.t('another kind of file');
    case 'modified':
      return '';
  }
}
