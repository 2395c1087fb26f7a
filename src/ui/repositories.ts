import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';

/**
 * The repositories that tasks may be for: the folders that are open, once the user trusts them, and those that the
 * settings name. `~` is the home folder; what is no absolute path is left out.
 */
export function allowedRepositories(fromSettings: readonly string[]): string[] {
  const open = vscode.workspace.isTrusted ? openFolders() : [];
  return [...new Set([...open, ...fromSettings.flatMap(absolute)])];
}

/** The folders of this window that are on this machine. */
export function openFolders(): string[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === 'file')
    .map(({ uri }) => uri.fsPath);
}

function absolute(folder: string): string[] {
  const whole = homeExpanded(folder);
  return path.isAbsolute(whole) ? [path.normalize(whole)] : [];
}

/** A path of a setting, with `~` at its start as the home folder. */
export function homeExpanded(folder: string): string {
  return folder === '~' || folder.startsWith('~/') ? path.join(os.homedir(), folder.slice(1)) : folder;
}
