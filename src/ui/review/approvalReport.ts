import * as l10n from '@vscode/l10n';
import { readEffect } from '../../core/approval';
import { runOf, type LiveState, type TaskState } from '../../core/liveState';
import { fields, heading, quoted, report, title } from './reportText';
import type { ReadBlob } from './taskReport';

/** All that an agent asks to be allowed: the whole command, or the file and what changes in it. */
export async function approvalReport(
  state: LiveState,
  task: TaskState,
  callId: string,
  readBlob: ReadBlob,
): Promise<string> {
  const run = runOf(state, task);
  const approval = run?.approval;
  if (!approval || approval.callId !== callId) return l10n.t('It does not ask for this any more.');
  const effect = await readEffect(readBlob, approval.effect);
  return report([
    title(l10n.t('An agent asks to be allowed this')),
    fields([
      [l10n.t('Task'), task.spec.title],
      [l10n.t('Persona'), run.persona],
      [l10n.t('Tool'), approval.tool],
      [l10n.t('Answer'), answerWords(approval.answer)],
      [
        l10n.t('Denied by itself'),
        approval.answer || approval.untilMs === null ? '' : new Date(approval.untilMs).toLocaleString(),
      ],
    ]),
    heading(l10n.t('What will happen in its jail')),
    quoted(effect?.text ?? l10n.t('(deleted)')),
  ]);
}

function answerWords(
  answer: { readonly allowed: boolean; readonly by: string; readonly reason: string } | null,
): string {
  if (!answer) return l10n.t('none yet');
  const word = answer.allowed ? l10n.t('allowed') : l10n.t('denied');
  return `${word} (${answer.by})${answer.reason === '' ? '' : `: ${answer.reason}`}`;
}
