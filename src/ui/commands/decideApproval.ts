import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, UserError } from '../../base/errors';
import { type ApprovalDecision, plainWords, readEffect } from '../../core/approval';
import type { TaskId } from '../../core/ids';
import { runOf } from '../../core/liveState';
import type { ExecutorLink } from '../executorLink';
import type { Reports } from '../review/reports';
import { openApprovalOf } from '../tasks/abilities';
import { requireTrust } from './queueActions';

type Choice = vscode.QuickPickItem & { readonly decision: Omit<ApprovalDecision, 'callId'> | 'withReason' };

/** Longer beginnings of commands are not offered one by one. */
const maxOfferedWords = 4;

/** Shows all that an agent asks to be allowed, and tells it what the user says. @throws {CancelledError} when the user says nothing. */
export async function decideApproval(link: ExecutorLink, reports: Reports, taskId: TaskId): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const task = executor.state.tasks.get(taskId);
  const approval = task && openApprovalOf(task, runOf(executor.state, task));
  if (!approval) return;
  await reports.showApproval(taskId, approval.callId);
  const effect = await readEffect((digest) => executor.readBlob(digest), approval.effect);
  if (!effect) throw new UserError('approval-gone', l10n.t('What was asked for was deleted.'));
  const chosen = await vscode.window.showQuickPick(choicesFor(effect.command), {
    title: l10n.t('Allow what the editor shows?'),
    placeHolder: l10n.t('It stands there whole, with everything invisible written out'),
    ignoreFocusOut: true,
  });
  if (!chosen) throw new CancelledError();
  const decision = chosen.decision === 'withReason' ? { allow: false, reason: await askReason() } : chosen.decision;
  await executor.decide(taskId, { ...decision, callId: approval.callId });
}

/** @param command As in `ApprovalEffect`. */
export function choicesFor(command: string | null): Choice[] {
  const words = command === null ? [] : (plainWords(command) ?? []);
  return [
    { label: l10n.t('Allow Once'), decision: { allow: true } },
    {
      label: l10n.t('Allow for This Task'),
      description: l10n.t('exactly this, nothing else'),
      decision: { allow: true, remember: { kind: 'same' } },
    },
    ...words.slice(0, maxOfferedWords).map((_, index): Choice => ({
      label: l10n.t('Allow for This Task: {0} …', words.slice(0, index + 1).join(' ')),
      description: l10n.t(
        'commands of plain words that begin so: no quotes, variables, patterns, ;, &, |, redirections',
      ),
      decision: { allow: true, remember: { kind: 'words', count: index + 1 } },
    })),
    { label: l10n.t('Deny'), decision: { allow: false } },
    { label: l10n.t('Deny with a Reason…'), decision: 'withReason' },
  ];
}

async function askReason(): Promise<string> {
  const reason = await vscode.window.showInputBox({
    title: l10n.t('What is the agent to know?'),
    ignoreFocusOut: true,
    validateInput: (text) => (text.length > 2000 ? l10n.t('It is longer than 2,000 characters.') : undefined),
  });
  if (reason === undefined) throw new CancelledError();
  return reason;
}
