import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { UserError } from '../../base/errors';
import { isEnded } from '../../core/task';
import type { Executor } from '../../core/executor';
import type { TaskDraft } from '../entryPoints/taskDraft';
import type { ExecutorLink } from '../executorLink';
import { askForTask, type OpenTask, type TaskChoices } from './addTask';
import type { QueueActions } from './commandActions';
import { withProgress } from './progress';

export type PersonasOf = TaskChoices['personas'];

/** @param repositories What a task may be for. */
export function queueActions(
  link: ExecutorLink,
  repositories: () => readonly string[],
  personas: PersonasOf,
): QueueActions {
  return {
    startQueue: () => withProgress(l10n.t('Starting the queue…'), async () => startQueue(await link.ready())),
    pauseQueue: async () => (await link.ready()).pauseQueue(),
    stopQueue: () => withProgress(l10n.t('Stopping the queue…'), async () => (await link.ready()).stopQueue()),
    refreshSources: () => withProgress(l10n.t('Looking for tasks…'), async () => (await link.ready()).refreshSources()),
    addTask: () => addTask({ link, personas }, repositories()),
  };
}

/** Asks for a task and queues it. @param draft What is known of it already. @throws {UserError} `untrusted`, `no-repository`. */
export async function addTask(
  { link, personas }: { readonly link: ExecutorLink; readonly personas: PersonasOf },
  repositories: readonly string[],
  draft?: TaskDraft,
): Promise<void> {
  requireTrust();
  const openTasks = (): OpenTask[] =>
    [...(link.state?.tasks.values() ?? [])]
      .filter(({ status }) => !isEnded(status))
      .map(({ id, spec, status }) => ({ id, title: spec.title, status }));
  const task = await askForTask(repositories, { personas, openTasks }, draft);
  const executor = await link.ready();
  await executor.add(task);
  if (executor.state.queueMode === 'paused') await offerStart(executor);
}

/** @throws {UserError} `untrusted`, or what the jail lacks: a queue that cannot run is not started. */
export async function startQueue(executor: Executor): Promise<void> {
  requireTrust();
  const readiness = await executor.jailReadiness();
  if (readiness.kind === 'unavailable') {
    throw new UserError('jail-unavailable', `${readiness.reason} ${readiness.fix}`, { code: readiness.code });
  }
  await executor.startQueue();
}

/** @throws {UserError} `untrusted` when the user has not said that the folder may be run in. */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new UserError('untrusted', l10n.t('This workspace is not trusted, so nothing runs in it. Trust it first.'));
}

/** Says that a task is queued, while nothing starts it. */
export async function offerStart(executor: Executor): Promise<void> {
  const start = l10n.t('Start Queue');
  const chosen = await vscode.window.showInformationMessage(l10n.t('The task is queued. The queue is paused.'), start);
  if (chosen === start) await startQueue(executor);
}
