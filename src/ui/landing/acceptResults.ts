import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { isCancellation, UserError } from '../../base/errors';
import type { Resolution } from '../../core/conflict';
import type { Executor } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import type { Landed, LandingOptions } from '../../core/landing';
import type { CommandId } from '../commands/commandTable';
import { withTellingProgress } from '../commands/progress';
import { requireTrust } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { branchName, landingPhrase } from '../tasks/taskWords';
import { confirmSelfRunning } from './confirmSelfRunning';
import { type Refusal, type RefusalButton, wordRefusal } from './refusalWords';

/**
 * Lets results out, one after another. What stands in the way of one is told with what can be done about it, and does not
 * keep the others.
 * @throws {CancelledError} when the user gives up before anything is done.
 */
export async function acceptResults(
  link: ExecutorLink,
  taskIds: readonly TaskId[],
  options: LandingOptions = {},
): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const commits = new Map(taskIds.map((taskId) => [taskId, resultOf(executor, taskId)]));
  await confirmSelfRunning(executor, taskIds, options.files);
  const landed: { readonly taskId: TaskId; readonly ref: string }[] = [];
  const faults: unknown[] = [];
  for (const taskId of taskIds) {
    try {
      if (resultOf(executor, taskId) !== commits.get(taskId)) throw anotherResult(titleOf(executor, taskId));
      const { ref } = await land(link, executor, taskId, () => executor.land(taskId, options));
      landed.push({ taskId, ref });
    } catch (error) {
      // Whoever gives one up does not want the next one to begin.
      if (isCancellation(error)) break;
      if (!tellRefusal(executor, taskId, error)) faults.push(error);
    }
  }
  void tellLanded(executor, landed);
  if (faults.length > 0) throw faults[0];
}

/** Lets a result out with what the user has made of its conflict. @throws {CancelledError} */
export async function acceptResolved(link: ExecutorLink, taskId: TaskId, resolution: Resolution): Promise<void> {
  const executor = await link.ready();
  await confirmSelfRunning(executor, [taskId], executor.state.tasks.get(taskId)?.landing?.only ?? undefined);
  try {
    const { ref } = await land(link, executor, taskId, () => executor.landResolved(taskId, resolution));
    void tellLanded(executor, [{ taskId, ref }]);
  } catch (error) {
    if (!tellRefusal(executor, taskId, error)) throw error;
  }
}

/** Says why a result is not let out, with what can be done about it. @returns `false` when there is nothing of that to say. */
export function tellRefusal(executor: Executor, taskId: TaskId, error: unknown): boolean {
  const hasConflict = executor.state.tasks.get(taskId)?.landing?.conflict != null;
  const refusal = wordRefusal(titleOf(executor, taskId), error, hasConflict);
  if (!refusal) return false;
  void offerRefusal(refusal, taskId);
  return true;
}

function land(link: ExecutorLink, executor: Executor, taskId: TaskId, letOut: () => Promise<Landed>): Promise<Landed> {
  const title = `“${titleOf(executor, taskId)}”`;
  const accept = async (tell: (message: string) => void) => {
    const following = link.onDidAppend((events) => {
      const task = link.state.tasks.get(taskId);
      if (task && events.some((event) => 'taskId' in event && event.taskId === taskId)) tell(landingPhrase(task));
    });
    try {
      return await letOut();
    } catch (error) {
      // It can have been given up in another window.
      if (isCancellation(error)) vscode.window.setStatusBarMessage(l10n.t('{0} is not accepted.', title), 5000);
      throw error;
    } finally {
      following.dispose();
    }
  };
  // One that cannot be given up any more is over in a moment.
  const giveUp = (): void => void executor.cancelLanding(taskId).catch(() => {});
  return withTellingProgress(l10n.t('Accepting {0}', title), accept, giveUp);
}

async function tellLanded(
  executor: Executor,
  landed: readonly { readonly taskId: TaskId; readonly ref: string }[],
): Promise<void> {
  const [first] = landed;
  if (!first) return;
  const isOne = landed.length === 1;
  const branch = branchName(first.ref);
  const message = isOne
    ? l10n.t('“{0}” is on {1} now.', titleOf(executor, first.taskId), branch)
    : l10n.t('{0} results are on {1} now.', landed.length, branch);
  const undo = { title: l10n.t('Undo'), command: 'airlock.undoAccept' } as const;
  const open = { title: l10n.t('Open Changes'), command: 'airlock.openChanges' } as const;
  const chosen = await vscode.window.showInformationMessage(message, ...(isOne ? [undo, open] : [undo]));
  // The last one lies on top of the others.
  if (chosen?.command === 'airlock.undoAccept') {
    for (const { taskId } of landed.toReversed()) await run(undo.command, taskId);
  } else if (chosen) await run(chosen.command, first.taskId);
}

async function offerRefusal({ message, buttons }: Refusal, taskId: TaskId): Promise<void> {
  const chosen = await vscode.window.showWarningMessage(message, ...buttons);
  if (chosen) await run(chosen.command, taskId);
}

async function run(command: CommandId | RefusalButton['command'], taskId: TaskId): Promise<void> {
  await vscode.commands.executeCommand(command, taskId);
}

function resultOf({ state }: Executor, taskId: TaskId): string | null | undefined {
  return state.runs.get(state.tasks.get(taskId)?.runId ?? '')?.commit;
}

function titleOf({ state }: Executor, taskId: TaskId): string {
  return oneLine(state.tasks.get(taskId)?.spec.title ?? taskId, 80);
}

function anotherResult(title: string): UserError {
  return new UserError(
    'wrong-state',
    l10n.t('“{0}” has another result by now. Look at it, and accept it again.', title),
  );
}
