import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import { type Credentials, type SecretKind, secretProblem } from '../credentials';
import type { Settings } from '../settings/settings';
import type { SecretActions } from './commandActions';

export function secretActions(credentials: Credentials, settings: Settings): SecretActions {
  const servers = (): ServerNames => ({
    isSingle: settings.value('airlock.zmemory.url') !== '',
    names: settings.value('airlock.zmemory.servers').map(({ name }) => name),
  });
  return {
    setApiKey: () => ask(credentials, 'apiKey', l10n.t('The API key for the model')),
    deleteApiKey: () => forget(credentials, 'apiKey', l10n.t('Delete the API key?')),
    setZMemoryToken: async () => {
      const server = await pickServer(servers());
      const prompt =
        server === undefined
          ? l10n.t('The bearer token for the ZMemory server')
          : l10n.t('The bearer token for the ZMemory server {0}', server);
      await ask(credentials, 'zmemoryToken', prompt, server);
    },
    deleteZMemoryToken: async () => {
      const server = await pickServer(servers());
      await forget(credentials, 'zmemoryToken', l10n.t('Delete the ZMemory token?'), server);
    },
    setMcpSecret: () => askMcpSecret(credentials),
  };
}

interface ServerNames {
  /** The setting for one server is used. */
  readonly isSingle: boolean;
  /** Those that have a name. */
  readonly names: readonly string[];
}

/** @returns The name of a server, or `undefined` for the one without. @throws {CancelledError} when the user gave up. */
async function pickServer({ isSingle, names }: ServerNames): Promise<string | undefined> {
  const single: (vscode.QuickPickItem & { readonly name?: string })[] =
    isSingle || names.length === 0 ? [{ label: l10n.t('The server of airlock.zmemory.url') }] : [];
  const items = [...single, ...names.map((name) => ({ label: name, name }))];
  const [only] = items;
  const picked =
    items.length === 1 ? only : await vscode.window.showQuickPick(items, { placeHolder: l10n.t('For which server?') });
  if (!picked) throw new CancelledError();
  return picked.name;
}

async function ask(credentials: Credentials, kind: SecretKind, prompt: string, server?: string): Promise<void> {
  const value = await vscode.window.showInputBox({
    prompt,
    password: true,
    ignoreFocusOut: true,
    placeHolder: l10n.t("It is kept in this machine's secret storage and never enters a jail."),
    validateInput: (text) => problemWords(text),
  });
  if (value === undefined) throw new CancelledError();
  await credentials.set(kind, value.trim(), server);
}

async function askMcpSecret(credentials: Credentials): Promise<void> {
  const name = await vscode.window.showInputBox({
    prompt: l10n.t('The name of the secret, as MCP servers name it'),
    placeHolder: 'GITHUB_TOKEN',
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? undefined : l10n.t('Letters, digits and underscores.'),
  });
  if (name === undefined) throw new CancelledError();
  const value = await vscode.window.showInputBox({
    prompt: l10n.t('The value of {0}; empty to forget it', name),
    password: true,
    ignoreFocusOut: true,
  });
  if (value === undefined) throw new CancelledError();
  await credentials.setMcpSecret(name, value.trim());
}

function problemWords(text: string): string | undefined {
  switch (secretProblem(text)) {
    case 'empty':
      return l10n.t('Paste it here, or press Escape.');
    case 'not-ascii':
      return l10n.t('It may hold no spaces and no special characters.');
    case undefined:
      return undefined;
  }
}

async function forget(credentials: Credentials, kind: SecretKind, question: string, server?: string): Promise<void> {
  const yes = l10n.t('Delete');
  const chosen = await vscode.window.showWarningMessage(question, { modal: true }, yes);
  if (chosen !== yes) throw new CancelledError();
  await credentials.delete(kind, server);
}
