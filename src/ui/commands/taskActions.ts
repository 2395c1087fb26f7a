import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { Executor } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import { runOf } from '../../core/liveState';
import type { ExecutorLink } from '../executorLink';
import type { Feature } from '../features';
import { oneLine } from '../markdownText';
import { openChanges } from '../review/openChanges';
import type { Reports } from '../review/reports';
import type { SessionTerminals } from '../terminal/sessionTerminals';
import type { LookedAt } from '../tasks/lookedAt';
import type { TaskTree } from '../tasks/taskTree';
import type { CommandAction, TaskActions } from './commandActions';
import { answerQuestion } from './answerQuestion';
import { approveMcpServer } from './approveMcpServer';
import { decideApproval } from './decideApproval';
import { pickRepository } from './pickRepository';
import { withCancellableProgress } from './progress';
import { requireTrust } from './queueActions';

export interface TaskActionParts {
  readonly link: ExecutorLink;
  readonly tree: Feature<TaskTree>;
  readonly terminals: Feature<SessionTerminals>;
  readonly reports: Feature<Reports>;
  readonly repositories: () => readonly string[];
  readonly lookedAt: LookedAt;
}

export function taskActions(parts: TaskActionParts): TaskActions {
  const { link, tree, terminals, reports, lookedAt } = parts;
  const each = (action: (executor: Executor, taskId: TaskId) => Promise<void>): CommandAction => {
    return async ({ taskIds }) => {
      const executor = await link.ready();
      await Promise.all(taskIds.map((taskId) => action(executor, taskId)));
    };
  };
  const one = (action: (taskId: TaskId) => void | Promise<void>): CommandAction => {
    return async ({ taskIds: [taskId] }) => {
      if (taskId !== undefined) await action(taskId);
    };
  };
  return {
    runTaskNow: each((executor, taskId) => {
      requireTrust();
      return executor.runNow(taskId);
    }),
    retryTask: each((executor, taskId) => {
      requireTrust();
      return executor.retry(taskId);
    }),
    cancelTask: async ({ taskIds }) => {
      const executor = await link.ready();
      await confirmCancel(executor, taskIds);
      await Promise.all(taskIds.map((taskId) => executor.cancel(taskId)));
    },
    decide: one((taskId) => decideApproval(link, reports.get(), taskId)),
    approveMcpServer: one((taskId) => approveMcpServer(link, taskId)),
    answer: one((taskId) => answerQuestion(link, taskId)),
    assignRepository: async ({ taskIds }) => {
      const repo = await pickRepository(parts.repositories(), { always: true });
      const executor = await link.ready();
      await Promise.all(taskIds.map((taskId) => executor.assignRepository(taskId, repo)));
    },
    openTerminal: one((taskId) => terminals.get().showTask(taskId)),
    takeOverTerminal: one((taskId) => {
      requireTrust();
      return terminals.get().takeOver(taskId);
    }),
    giveBackTerminal: one((taskId) => terminals.get().giveBack(taskId)),
    openChanges: one(async (taskId) => {
      await withCancellableProgress(l10n.t('Reading the changes…'), () => openChanges(link, taskId));
      await lookedAt.add(link.state, [taskId]);
    }),
    copyBranchName: one((taskId) => copyBranchName(link, taskId)),
    showDetails: one(async (taskId) => {
      await reports.get().showTask(taskId);
      await lookedAt.add(link.state, [taskId]);
    }),
    markReviewed: async ({ taskIds }) => {
      await lookedAt.add(link.state, taskIds);
      await lookedAt.giveUpReports(link.state, taskIds);
    },
    showMoreTasks: ({ group }) => {
      if (group) tree.get().showMore(group);
    },
  };
}

/** Work that is under way was paid for, so it is not thrown away by a slip. */
async function confirmCancel(executor: Executor, taskIds: readonly TaskId[]): Promise<void> {
  const running = taskIds.filter((taskId) => executor.state.tasks.get(taskId)?.status === 'running');
  const [first] = running;
  if (first === undefined) return;
  const title = oneLine(executor.state.tasks.get(first)?.spec.title ?? first, 100);
  const question =
    running.length === 1
      ? l10n.t('Cancel "{0}"? It is running.', title)
      : l10n.t('Cancel {0} running tasks?', running.length);
  const yes = running.length === 1 ? l10n.t('Cancel Task') : l10n.t('Cancel Tasks');
  const chosen = await vscode.window.showWarningMessage(question, { modal: true }, yes);
  if (chosen !== yes) throw new CancelledError();
}

async function copyBranchName(link: ExecutorLink, taskId: TaskId): Promise<void> {
  const task = link.state.tasks.get(taskId);
  const branch = task && runOf(link.state, task)?.branch;
  if (!branch) return;
  await vscode.env.clipboard.writeText(branch);
  vscode.window.setStatusBarMessage(l10n.t('Copied {0}', branch), 3000);
}
