import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { CancelledError } from '../../base/errors';
import { viewIds } from '../ids';

/** Does it while the task view shows that something is under way. */
export async function withProgress(title: string, action: () => Promise<void>): Promise<void> {
  const options = { location: { viewId: viewIds.tasks }, title };
  await vscode.window.withProgress(options, action);
}

/** Does it while a notification says how far it is. With `onCancel` there is a button that asks for its end; what comes of it is still waited for. */
export async function withTellingProgress<T>(
  title: string,
  action: (tell: (message: string) => void) => Promise<T>,
  onCancel?: () => void,
): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: onCancel !== undefined };
  return vscode.window.withProgress(options, (progress, token) => {
    if (onCancel) token.onCancellationRequested(onCancel);
    return action((message) => progress.report({ message }));
  });
}

/** What is quicker than this needs no notification. */
const patienceMs = 1000;

/**
 * Does something that may take its time: if it does, a notification says so and can cancel it.
 * @throws {CancelledError} as soon as the user cancels; what was begun is left to end by itself.
 */
export async function withCancellableProgress<T>(title: string, action: () => Promise<T>): Promise<T> {
  const result = action();
  const quick = await Promise.race([result.then(() => true), delay(patienceMs, false, { ref: false })]);
  if (quick) return result;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, (_progress, token) => {
    const cancelled = new Promise<never>((_resolve, reject) => {
      token.onCancellationRequested(() => reject(new CancelledError()));
    });
    return Promise.race([result, cancelled]);
  });
}
