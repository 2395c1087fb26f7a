import * as path from 'node:path';
import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, UserError } from '../../base/errors';

/**
 * Asks for one of the repositories. With one there is nothing to ask.
 * @throws {UserError} `no-repository` when there is none. @throws {CancelledError} when the user gives up.
 */
export async function pickRepository(
  folders: readonly string[],
  options: { readonly always: boolean },
): Promise<string> {
  const [only] = folders;
  if (only === undefined) {
    throw new UserError(
      'no-repository',
      l10n.t(
        'No repository is open. Open a folder with a git repository, or name one in the setting "airlock.repositories".',
      ),
    );
  }
  if (folders.length === 1 && !options.always) return only;
  const items = folders.map((folder) => ({ label: path.basename(folder), description: folder, folder }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: l10n.t('Which repository is the task for?'),
    matchOnDescription: true,
  });
  if (!picked) throw new CancelledError();
  return picked.folder;
}
