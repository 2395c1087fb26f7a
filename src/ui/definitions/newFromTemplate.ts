import * as path from 'node:path';
import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, UserError } from '../../base/errors';
import { pickRepository } from '../commands/pickRepository';
import { requireTrust } from '../commands/queueActions';
import { openFolders } from '../repositories';
import { definitionTemplates } from './templates';

/** Writes a task definition from a template and opens it. @throws {CancelledError} @throws {UserError} `no-repository`, `untrusted`. */
export async function newFromTemplate(): Promise<void> {
  requireTrust();
  const repo = await pickRepository(openFolders(), { always: false });
  const items = definitionTemplates().map((template) => ({ label: template.label, template }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: l10n.t('What is the task to be like?') });
  if (!picked) throw new CancelledError();
  const folder = path.join(repo, '.airlock', 'tasks');
  const name = await vscode.window.showInputBox({
    prompt: l10n.t('The name of its file in .airlock/tasks'),
    value: picked.template.name,
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^[\w][\w.-]{0,80}$/.test(text.trim()) ? undefined : l10n.t('Letters, digits, dots, - and _, please.'),
  });
  if (name === undefined) throw new CancelledError();
  const file = vscode.Uri.file(path.join(folder, `${name.trim().replace(/\.ya?ml$/i, '')}.yaml`));
  if (await isThere(file))
    throw new UserError('file-exists', l10n.t('{0} is there already.', path.basename(file.fsPath)));
  await vscode.workspace.fs.writeFile(file, Buffer.from(picked.template.text));
  await vscode.window.showTextDocument(file);
}

async function isThere(file: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(file);
    return true;
  } catch {
    return false;
  }
}
