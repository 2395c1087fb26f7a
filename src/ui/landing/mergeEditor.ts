import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** The three sides of a file, and where what is made of them is kept. */
export interface MergedFile {
  readonly base: vscode.Uri;
  readonly target: vscode.Uri;
  readonly result: vscode.Uri;
  readonly output: vscode.Uri;
  /** The name of the branch. */
  readonly branch: string;
}

/** How long a merge editor may take to be there. */
const patienceMs = 10_000;

/**
 * Opens VS Code's merge editor, as its own git extension does: there is no other way for an extension. The branch is on the left
 * and the result on the right.
 */
export async function openMergeEditor({ base, target, result, output, branch }: MergedFile): Promise<void> {
  await vscode.commands.executeCommand('_open.mergeEditor', {
    base,
    input1: { uri: target, title: l10n.t('Branch'), description: `$(git-branch) ${branch}` },
    input2: { uri: result, title: l10n.t('Agent') },
    output,
  });
  // The command does not wait for its editor.
  for (let waited = 0; !tabOf(output)?.isActive && waited < patienceMs; waited += 50) await delay(50);
}

/** The tab in which a file is being resolved. */
export function tabOf(output: vscode.Uri): vscode.Tab | undefined {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .find((tab) => mergeOutput(tab)?.toString() === output.toString());
}

/** The file that the merge editor which has the keyboard is for. */
export function activeMerge(): vscode.Uri | undefined {
  const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
  return tab && mergeOutput(tab);
}

/** Says to the active merge editor that it is done: VS Code asks when conflicts are left. @returns `false` when it is not. */
export async function completeMerge(): Promise<boolean> {
  const answer = await vscode.commands.executeCommand('mergeEditor.acceptMerge');
  return z.object({ successful: z.literal(true) }).safeParse(answer).success;
}

/** The class of such a tab's input is a proposal of VS Code's still, so that only its shape can be looked at. */
function mergeOutput({ input }: vscode.Tab): vscode.Uri | undefined {
  if (typeof input !== 'object' || input === null || !('input1' in input) || !('result' in input)) return undefined;
  return input.result instanceof vscode.Uri ? input.result : undefined;
}
