import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import { type Credentials, type SecretKind, secretProblem } from '../credentials';
import type { SecretActions } from './commandActions';

export function secretActions(credentials: Credentials): SecretActions {
  return {
    setApiKey: () => ask(credentials, 'apiKey', l10n.t('The API key for the model')),
    deleteApiKey: () => forget(credentials, 'apiKey', l10n.t('Delete the API key?')),
    setZMemoryToken: () => ask(credentials, 'zmemoryToken', l10n.t('The bearer token for the ZMemory server')),
    deleteZMemoryToken: () => forget(credentials, 'zmemoryToken', l10n.t('Delete the ZMemory token?')),
  };
}

async function ask(credentials: Credentials, kind: SecretKind, prompt: string): Promise<void> {
  const value = await vscode.window.showInputBox({
    prompt,
    password: true,
    ignoreFocusOut: true,
    placeHolder: l10n.t("It is kept in this machine's secret storage and never enters a jail."),
    validateInput: (text) => problemWords(text),
  });
  if (value === undefined) throw new CancelledError();
  await credentials.set(kind, value.trim());
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

async function forget(credentials: Credentials, kind: SecretKind, question: string): Promise<void> {
  const yes = l10n.t('Delete');
  const chosen = await vscode.window.showWarningMessage(question, { modal: true }, yes);
  if (chosen !== yes) throw new CancelledError();
  await credentials.delete(kind);
}
