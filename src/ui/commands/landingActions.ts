import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { Executor } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import { runOf } from '../../core/liveState';
import type { ExecutorLink } from '../executorLink';
import { acceptResults } from '../landing/acceptResults';
import { pickBranch, pickFiles } from '../landing/landingChoices';
import { oneLine } from '../markdownText';
import type { Feature } from '../features';
import { landResolved, resolveConflict } from '../landing/resolveConflict';
import type { ResolvedFiles } from '../landing/resolvedFiles';
import { keepAsBranch, openPullRequest } from '../landing/pullRequests';
import { openReview } from '../review/openReview';
import type { Reports } from '../review/reports';
import { sendBack, sendBackConflict } from '../review/sendBack';
import type { LookedAt } from '../tasks/lookedAt';
import type { CommandAction, LandingActions } from './commandActions';
import { withCancellableProgress } from './progress';
import { requireTrust } from './queueActions';

export interface LandingActionParts {
  readonly link: ExecutorLink;
  readonly reports: Feature<Reports>;
  readonly resolvedFiles: Feature<ResolvedFiles>;
  readonly lookedAt: LookedAt;
}

/** What the user decides about results. */
export function landingActions({ link, reports, resolvedFiles, lookedAt }: LandingActionParts): LandingActions {
  const one = (action: (taskId: TaskId) => Promise<unknown>): CommandAction => {
    return async ({ taskIds: [taskId] }) => {
      if (taskId !== undefined) await action(taskId);
    };
  };
  return {
    review: one(async (taskId) => {
      await withCancellableProgress(l10n.t('Reading the changes…'), () => openReview(link, reports.get(), taskId));
      await lookedAt.add(link.state, [taskId]);
    }),
    sendBack: one((taskId) => sendBack(link, taskId)),
    sendBackConflict: one((taskId) => sendBackConflict(link, taskId)),
    resolveConflict: one((taskId) => resolveConflict(link, resolvedFiles.get(), taskId)),
    landResolved: one((taskId) => landResolved(link, resolvedFiles.get(), taskId)),
    keepAsBranch: one(async (taskId) => {
      const name = await keepAsBranch(link, taskId);
      vscode.window.setStatusBarMessage(l10n.t('The branch {0} is made.', oneLine(name, 100)), 5000);
    }),
    openPullRequest: one((taskId) => openPullRequest(link, taskId)),
    accept: ({ taskIds }) => acceptResults(link, taskIds),
    acceptOnto: async ({ taskIds }) => {
      requireTrust();
      const [first] = taskIds;
      if (first === undefined) return;
      await acceptResults(link, taskIds, { onto: await pickBranch(await link.ready(), first) });
    },
    acceptFiles: async ({ taskIds: [taskId] }) => {
      requireTrust();
      if (taskId === undefined) return;
      await acceptResults(link, [taskId], { files: await pickFiles(await link.ready(), taskId) });
    },
    cancelAccept: async ({ taskIds }) => {
      const executor = await link.ready();
      await Promise.all(taskIds.map((taskId) => executor.cancelLanding(taskId)));
    },
    undoAccept: async ({ taskIds }) => {
      requireTrust();
      const executor = await link.ready();
      const title = titleOf(executor, taskIds);
      for (const taskId of newestFirst(executor, taskIds)) await executor.undoLanding(taskId);
      vscode.window.setStatusBarMessage(l10n.t('{0} was taken back.', title), 5000);
    },
    discard: async ({ taskIds }) => {
      const executor = await link.ready();
      await confirmDiscard(executor, taskIds);
      for (const taskId of taskIds) await executor.discard(taskId);
    },
  };
}

/** What was let out last lies on top, and has to go first. */
function newestFirst({ state }: Executor, taskIds: readonly TaskId[]): TaskId[] {
  const since = (taskId: TaskId): number => state.tasks.get(taskId)?.changedAtMs ?? 0;
  return taskIds.toSorted((a, b) => since(b) - since(a));
}

/** What a result holds is nowhere else. */
async function confirmDiscard(executor: Executor, taskIds: readonly TaskId[]): Promise<void> {
  const { state } = executor;
  const branches = taskIds.flatMap((taskId) => {
    const task = state.tasks.get(taskId);
    return (task && runOf(state, task)?.branch) ?? [];
  });
  const detail =
    branches.length === 0
      ? l10n.t('What is left of its files is deleted.')
      : l10n.t('These branches are deleted, with what is left of the files: {0}', oneLine(branches.join(', '), 600));
  const discard = l10n.t('Discard');
  const question = l10n.t('Discard {0}?', titleOf(executor, taskIds));
  const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail }, discard);
  if (chosen !== discard) throw new CancelledError();
}

/** One by its name, more by their number. */
function titleOf({ state }: Executor, taskIds: readonly TaskId[]): string {
  const [first] = taskIds;
  if (first === undefined || taskIds.length > 1) return l10n.t('{0} results', taskIds.length);
  return `“${oneLine(state.tasks.get(first)?.spec.title ?? first, 80)}”`;
}
