import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, isUserError } from '../../base/errors';
import type { ListedModel } from '../../core/listedModel';
import type { Settings } from '../settings/settings';
import type { ModelActions } from './commandActions';
import { type ModelRow, modelRows } from './modelChoices';
import { withCancellableProgress } from './progress';

/** The models of the server that is set. @throws {UserError} when they cannot be had. */
export type ModelsOf = () => Promise<readonly ListedModel[]>;

export function modelActions(models: ModelsOf, settings: Settings): ModelActions {
  return {
    chooseModel: async () => {
      const current = settings.value('airlock.engine.model');
      const model = await chosenModel(await listed(models), current);
      const section = vscode.workspace.getConfiguration('airlock.engine');
      await section.update('model', model === '' ? undefined : model, vscode.ConfigurationTarget.Global);
    },
  };
}

/** `undefined`: the server has no list. */
async function listed(models: ModelsOf): Promise<readonly ListedModel[] | undefined> {
  try {
    return await withCancellableProgress(l10n.t('Asking the server for its models…'), models);
  } catch (error) {
    if (isUserError(error) && error.code === 'model-list-missing') return undefined;
    throw error;
  }
}

/** @returns The name, or nothing for the default. @throws {CancelledError} when the user gave up. */
async function chosenModel(models: readonly ListedModel[] | undefined, current: string): Promise<string> {
  if (!models)
    return typedModel(l10n.t('The server has no list of its models. Type the name that it has for yours.'), current);
  const items = modelRows(models, current).map((row): vscode.QuickPickItem & ModelRow => row);
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: l10n.t('Which model does the work?'),
    matchOnDescription: true,
  });
  switch (picked?.choice.kind) {
    case 'model':
      return picked.choice.id;
    case 'default':
      return '';
    case 'other':
      return typedModel(l10n.t('The name that the server has for the model; empty for the default'), current);
    case undefined:
      throw new CancelledError();
  }
}

async function typedModel(prompt: string, current: string): Promise<string> {
  const name = await vscode.window.showInputBox({ prompt, value: current, ignoreFocusOut: true });
  if (name === undefined) throw new CancelledError();
  return name.trim();
}
