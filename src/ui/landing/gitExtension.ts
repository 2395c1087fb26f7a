import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { UserError } from '../../base/errors';

/** What we use of VS Code's own git extension, version 1 of its interface. It has the user's credentials; we never see them. */
interface GitApi {
  getRepository(uri: vscode.Uri): GitRepository | null;
  openRepository(uri: vscode.Uri): Promise<GitRepository | null>;
}

export interface GitRepository {
  readonly state: {
    readonly remotes: readonly { readonly name: string; readonly fetchUrl?: string; readonly pushUrl?: string }[];
  };
  push(remote: string, branch: string, setUpstream: boolean): Promise<void>;
}

interface GitExtension {
  readonly enabled: boolean;
  getAPI(version: 1): GitApi;
}

/** A repository as VS Code's git extension has it. @throws {UserError} `git-extension-missing`, `not-a-repository`. */
export async function gitRepositoryAt(folder: string): Promise<GitRepository> {
  const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
  const git = extension && (extension.isActive ? extension.exports : await extension.activate());
  if (!git?.enabled) {
    throw new UserError('git-extension-missing', l10n.t('VS Code’s Git extension is switched off (git.enabled).'));
  }
  const api = git.getAPI(1);
  const uri = vscode.Uri.file(folder);
  const repository = api.getRepository(uri) ?? (await api.openRepository(uri));
  if (repository) return repository;
  throw new UserError('not-a-repository', l10n.t('VS Code’s Git extension does not open {0}.', folder), { folder });
}
