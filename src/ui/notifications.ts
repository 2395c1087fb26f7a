import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import type { AirlockEvent } from '../core/events';
import type { TaskId } from '../core/ids';
import { runOf, type TaskState } from '../core/liveState';
import type { CommandId } from './commands/commandTable';
import type { ExecutorLink } from './executorLink';
import { oneLine } from './markdownText';
import { lacksRepository, openApprovalOf, openQuestionOf } from './tasks/abilities';
import { groupOf } from './tasks/taskGroup';

/** Tasks that come to wait within this time are told together. */
const gatherMs = 1500;

/** Says when a task has come to need the user. Nothing else is worth an interruption: the tree shows the rest. */
export class Notifications implements Disposable {
  private readonly store = new DisposableStore();
  private readonly waiting = new Set<TaskId>();
  private timer: Disposable | undefined;

  constructor(
    private readonly link: ExecutorLink,
    private readonly clock: Clock,
    private readonly needsApiKey: () => boolean,
    private readonly reveal: (taskId: TaskId) => Promise<void>,
  ) {
    this.store.add(link.onDidAppend((events) => this.follow(events)));
  }

  dispose(): void {
    this.timer?.dispose();
    this.store.dispose();
  }

  private follow(events: readonly AirlockEvent[]): void {
    if (!tellsTheUser(this.link)) return;
    for (const event of events) {
      if (event.kind !== 'task.waiting' && event.kind !== 'task.blocked') continue;
      this.waiting.add(event.taskId);
      this.timer ??= this.clock.setTimer(gatherMs, () => this.tell());
    }
  }

  private tell(): void {
    this.timer = undefined;
    // What has gone on meanwhile needs nobody.
    const tasks = [...this.waiting].flatMap((taskId) => this.link.state.tasks.get(taskId) ?? []);
    const needy = tasks.filter((task) => groupOf(task, true) === 'needsYou');
    this.waiting.clear();
    const [first] = needy;
    if (!first) return;
    const message =
      needy.length === 1
        ? l10n.t('“{0}” needs you: {1}', oneLine(first.spec.title, 80), oneLine(first.reason, 300))
        : l10n.t('{0} tasks need you, among them “{1}”.', needy.length, oneLine(first.spec.title, 80));
    const help = this.needsApiKey() ? setKey() : needy.length === 1 ? this.helpFor(first) : undefined;
    void this.show(message, first.id, help);
  }

  private helpFor(task: TaskState): Help | undefined {
    if (lacksRepository(task)) return { title: l10n.t('Assign Repository…'), command: 'airlock.assignRepository' };
    if (task.mcpServer !== undefined)
      return { title: l10n.t('Approve MCP Server…'), command: 'airlock.approveMcpServer' };
    if (openApprovalOf(task, runOf(this.link.state, task)) !== undefined)
      return { title: l10n.t('Allow or Deny…'), command: 'airlock.decide' };
    const isAsked = openQuestionOf(task, runOf(this.link.state, task)) !== undefined;
    return isAsked ? { title: l10n.t('Answer…'), command: 'airlock.answer' } : undefined;
  }

  private async show(message: string, taskId: TaskId, help: Help | undefined): Promise<void> {
    const show = l10n.t('Show');
    const buttons = help ? [help.title, show] : [show];
    const chosen = await vscode.window.showWarningMessage(message, ...buttons);
    if (chosen === show) await this.reveal(taskId);
    else if (help && chosen === help.title) await vscode.commands.executeCommand(help.command, taskId);
  }
}

/** The window that works the queue tells; a window that only watches does so while the user looks at it. */
export function tellsTheUser({ status }: ExecutorLink): boolean {
  if (status.kind !== 'open') return false;
  return status.executor.place.kind === 'here' || vscode.window.state.focused;
}

/** A button that does what is needed. */
interface Help {
  readonly title: string;
  readonly command: CommandId;
}

function setKey(): Help {
  return { title: l10n.t('Set API Key…'), command: 'airlock.setApiKey' };
}
