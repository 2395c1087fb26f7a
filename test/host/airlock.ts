import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { AirlockApi } from '../../src/extension';
import type { Executor } from '../../src/core/executor';

export const extensionId = 'airlock.airlock';

/** The extension as VS Code has activated it. */
export async function activated(): Promise<AirlockApi> {
  const extension = vscode.extensions.getExtension<AirlockApi>(extensionId);
  assert.ok(extension, 'the extension is not there');
  return extension.activate();
}

export async function executor(): Promise<Executor> {
  return (await activated()).executor();
}

/** The repository that is open. */
export function repository(): string {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'no folder is open');
  return folder.uri.fsPath;
}

/** The labels of all open tabs. */
export function tabLabels(): string[] {
  return vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label));
}
