import * as vscode from 'vscode';
import { CancelledError } from '../../base/errors';
import { viewIds } from '../ids';

/** Does it while the task view shows that something is under way. */
export async function withProgress(title: string, action: () => Promise<void>): Promise<void> {
  const options = { location: { viewId: viewIds.tasks }, title };
  await vscode.window.withProgress(options, action);
}

/**
 * Does something that takes its time, with a notification that can be cancelled.
 * @throws {CancelledError} as soon as the user cancels; what was begun is left to end by itself.
 */
export async function withCancellableProgress<T>(title: string, action: () => Promise<T>): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, (_progress, token) => {
    const cancelled = new Promise<never>((_resolve, reject) => {
      token.onCancellationRequested(() => reject(new CancelledError()));
    });
    return Promise.race([action(), cancelled]);
  });
}
