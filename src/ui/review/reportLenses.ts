import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { TaskId } from '../../core/ids';
import type { CommandId } from '../commands/commandTable';
import { reportScheme } from '../ids';
import type { Ability } from '../tasks/abilities';
import type { TaskList } from '../tasks/taskList';
import { reportedTask } from './reportDocuments';

/** Longer than VS Code takes to make the links of a document anew: it waits for a quarter of a second to a second first. */
const againMs = 2_000;

/** What can be decided about a result, as links above its details: they are there also when another editor has the keyboard. */
export class ReportLenses implements vscode.CodeLensProvider, Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<void>());
  readonly onDidChangeCodeLenses = this.changed.event;
  /** VS Code drops a change for good when the document loses the keyboard before the links are made anew, so it is told again. */
  private again: Disposable | undefined;

  constructor(
    private readonly tasks: TaskList,
    private readonly clock: Clock,
  ) {
    this.store.add(tasks.onDidChange(() => this.refresh()));
    // Asked while the details were written anew, VS Code shows the links from before.
    this.store.add(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === reportScheme) this.refresh();
      }),
    );
    this.store.add(vscode.languages.registerCodeLensProvider({ scheme: reportScheme }, this));
  }

  provideCodeLenses({ uri }: vscode.TextDocument): vscode.CodeLens[] {
    const taskId = reportedTask(uri);
    if (taskId === undefined) return [];
    const top = new vscode.Range(0, 0, 0, 0);
    const decisions = this.offered(taskId).map(
      ([command, title]) => new vscode.CodeLens(top, { command, title, arguments: [taskId] }),
    );
    const page = this.tasks.task(taskId)?.pullRequests?.at(-1);
    if (page === undefined) return decisions;
    const title = l10n.t('Show Pull Request');
    return [
      ...decisions,
      new vscode.CodeLens(top, { command: 'vscode.open', title, arguments: [vscode.Uri.parse(page)] }),
    ];
  }

  dispose(): void {
    this.again?.dispose();
    this.store.dispose();
  }

  private refresh(): void {
    this.changed.fire();
    this.again?.dispose();
    this.again = this.clock.setTimer(againMs, () => this.changed.fire());
  }

  private offered(taskId: TaskId): [CommandId, string][] {
    const able = this.tasks.abilitiesOf(taskId);
    const all: [Ability, CommandId, string][] = [
      ['accept', 'airlock.accept', l10n.t('Accept')],
      ['accept', 'airlock.acceptFiles', l10n.t('Accept Some Files…')],
      ['sendBackConflict', 'airlock.sendBackConflict', l10n.t('Send the Conflict to the Agent')],
      ['resolveConflict', 'airlock.resolveConflict', l10n.t('Resolve in Merge Editor')],
      ['sendBack', 'airlock.sendBack', l10n.t('Send to the Agent…')],
      ['undoAccept', 'airlock.undoAccept', l10n.t('Undo Accept')],
      ['openChanges', 'airlock.openChanges', l10n.t('Open Changes')],
      ['openChanges', 'airlock.openPullRequest', l10n.t('Open Pull Request…')],
      ['openChanges', 'airlock.keepAsBranch', l10n.t('Keep as Branch…')],
      ['discard', 'airlock.discard', l10n.t('Discard…')],
    ];
    return all.flatMap(([ability, command, title]) => (able.has(ability) ? [[command, title]] : []));
  }
}
