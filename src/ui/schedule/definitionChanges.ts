import * as vscode from 'vscode';
import { type Disposable, DisposableStore, toDisposable } from '../../base/disposable';
import { openFolders } from '../repositories';

/** Calls `listener` when a task definition of a folder that is open may be another, and when another folder is open or trusted. */
export function onDefinitionChange(listener: () => void): Disposable {
  const store = new DisposableStore();
  let watchers = new DisposableStore();
  const watch = (): void => {
    watchers.dispose();
    watchers = new DisposableStore();
    for (const folder of openFolders()) {
      const pattern = new vscode.RelativePattern(vscode.Uri.file(folder), '.airlock/tasks/*.{yaml,yml}');
      const watcher = watchers.add(vscode.workspace.createFileSystemWatcher(pattern));
      for (const event of [watcher.onDidCreate, watcher.onDidChange, watcher.onDidDelete])
        watchers.add(event(listener));
    }
  };
  watch();
  store.add(toDisposable(() => watchers.dispose()));
  store.add(
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      watch();
      listener();
    }),
  );
  store.add(vscode.workspace.onDidGrantWorkspaceTrust(listener));
  return store;
}
