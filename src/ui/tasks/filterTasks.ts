import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import { Coalescer } from '../coalescer';
import { guard } from '../commands/commandRegistry';
import { contextKeys } from '../ids';
import type { TaskFilter } from './taskFilter';

/** The rows follow what is typed, at most this often. */
const followMs = 200;

/** The commands that filter the task tree, and the key that says that it is filtered. */
export function registerTaskFilter(filter: TaskFilter, clock: Clock, logger: Logger): Disposable {
  const store = new DisposableStore();
  const register = (id: 'airlock.filterTasks' | 'airlock.clearTaskFilter', action: () => Promise<void>): void =>
    void store.add(vscode.commands.registerCommand(id, () => guard(id, logger, action)));
  register('airlock.filterTasks', () => askForFilter(filter, clock));
  register('airlock.clearTaskFilter', () => filter.set('', { keep: true }));
  let told = false;
  const tell = (): void => {
    if (filter.isOn === told) return;
    told = filter.isOn;
    void vscode.commands.executeCommand('setContext', contextKeys.isFiltered, told);
  };
  store.add(filter.onDidChange(tell));
  tell();
  return store;
}

/** What stands above the rows while they are filtered; empty while they are not. */
export function filterMessage(filter: TaskFilter, others: { readonly shown: number; readonly all: number }): string {
  if (!filter.isOn) return '';
  const { shown, all } = filter.counts();
  return l10n.t('Filtered: {0}, {1} of {2} shown', filter.text, shown + others.shown, all + others.all);
}

/** Resolves when the user has decided. Whoever gives up gets back what was shown before. */
function askForFilter(filter: TaskFilter, clock: Clock): Promise<void> {
  const before = filter.text;
  const input = vscode.window.createInputBox();
  const follow = new Coalescer(clock, followMs, () => void filter.set(input.value, { keep: false }));
  input.title = l10n.t('Filter Tasks');
  input.placeholder = l10n.t('Words of title, prompt, id, source, persona or status; empty for all tasks');
  input.value = before;
  return new Promise((resolve, reject) => {
    let wanted = before;
    input.onDidChangeValue(() => follow.trigger());
    input.onDidAccept(() => {
      wanted = input.value;
      input.hide();
    });
    input.onDidHide(() => {
      follow.dispose();
      input.dispose();
      filter.set(wanted, { keep: true }).then(resolve, reject);
    });
    input.show();
  });
}
