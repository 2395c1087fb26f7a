import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Disposable } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import type { JournalReport } from '../../core/journalReport';
import { guard } from '../commands/commandRegistry';
import type { CommandId } from '../commands/commandTable';
import { withCancellableProgress } from '../commands/progress';
import { journalWords } from './journalWords';

const id: CommandId = 'airlock.verifyJournal';

/** The command that reads the whole journal and says whether it is as it was written. */
export function registerVerifyJournal(verify: () => Promise<JournalReport>, logger: Logger): Disposable {
  return vscode.commands.registerCommand(id, () =>
    guard(id, logger, async () => {
      const report = await withCancellableProgress(l10n.t('Reading the journal…'), verify);
      await show(report);
    }),
  );
}

async function show(report: JournalReport): Promise<void> {
  const { isWell, message, detail } = journalWords(report);
  const options = { modal: true, detail };
  await (isWell
    ? vscode.window.showInformationMessage(message, options)
    : vscode.window.showErrorMessage(message, options));
}
