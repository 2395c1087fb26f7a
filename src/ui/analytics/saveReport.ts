/** Saves figures to a file that the user names, and tells of a report that was written. */
import * as os from 'node:os';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { DaySpan } from '../../core/history';

const filters: Readonly<Record<'csv' | 'json', Record<string, string[]>>> = {
  csv: { CSV: ['csv'] },
  json: { JSON: ['json'] },
};

/** The file is asked for first: nothing is read for who changes their mind. */
export async function saveReport(text: () => Promise<string>, span: DaySpan, format: 'csv' | 'json'): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(os.homedir());
  const file = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(folder, `airlock-${span.from}-${span.to}.${format}`),
    filters: filters[format],
  });
  if (!file) return;
  await vscode.workspace.fs.writeFile(file, Buffer.from(await text()));
  const open = l10n.t('Open');
  const message = l10n.t('The figures are saved to {0}.', vscode.workspace.asRelativePath(file));
  void vscode.window.showInformationMessage(message, open).then((chosen) => {
    if (chosen === open) void vscode.commands.executeCommand('vscode.open', file);
  });
}

export async function tellOfReport(file: string): Promise<void> {
  const open = l10n.t('Open Report');
  const chosen = await vscode.window.showInformationMessage(l10n.t('Airlock has written a report.'), open);
  if (chosen === open) await vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.file(file));
}
