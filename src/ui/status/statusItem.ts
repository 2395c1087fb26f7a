import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { CommandId } from '../commands/commandTable';
import type { ExecutorLink } from '../executorLink';
import type { TaskList } from '../tasks/taskList';
import { summarize } from './statusSummary';
import type { LiveSurroundings } from './surroundings';

const menuCommand: CommandId = 'airlock.showMenu';

/** The one item in the status bar. It shows how things are once at its start, and then follows. */
export class StatusItem implements Disposable {
  private readonly store = new DisposableStore();
  private readonly item: vscode.StatusBarItem;

  constructor(
    private readonly tasks: TaskList,
    private readonly link: ExecutorLink,
    private readonly surroundings: LiveSurroundings,
    private readonly clock: Clock,
  ) {
    this.item = this.store.add(vscode.window.createStatusBarItem('airlock.status', vscode.StatusBarAlignment.Left, 10));
    this.item.name = l10n.t('Airlock');
    this.item.command = menuCommand;
    this.store.add(tasks.onDidChange(() => this.show()));
    this.store.add(surroundings.onDidChange(() => this.show()));
    this.show();
    this.item.show();
  }

  dispose(): void {
    this.store.dispose();
  }

  private show(): void {
    const summary = summarize({
      state: this.link.state,
      around: this.surroundings.current,
      counts: this.tasks.counts(),
      nowMs: this.clock.nowMs(),
    });
    this.item.text = summary.text;
    const tooltip = new vscode.MarkdownString(summary.tooltip);
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: summary.accessibleLabel };
    this.item.backgroundColor =
      summary.severity === 'none' ? undefined : new vscode.ThemeColor(`statusBarItem.${summary.severity}Background`);
  }
}
