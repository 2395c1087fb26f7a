import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { UserError } from '../../base/errors';
import type { AirlockEvent } from '../../core/events';
import type { SessionId, TaskId } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { sessionViewOf, titleOf } from '../sessionList/sessionRow';
import type { Setting } from '../settings/setting';
import { SessionTerminal } from './sessionTerminal';

interface OpenTerminal {
  readonly terminal: vscode.Terminal;
  readonly pty: SessionTerminal;
}

/** The terminals that show sessions, one for each session at most. */
export class SessionTerminals implements Disposable {
  private readonly open = new Map<SessionId, OpenTerminal>();
  private readonly store = new DisposableStore();

  constructor(
    private readonly link: ExecutorLink,
    private readonly opensAutomatically: Setting<'airlock.terminal.openAutomatically'>,
  ) {
    this.store.add(link.onDidAppend((events) => this.follow(events)));
  }

  /** Shows the terminal of a task's living session. @throws {UserError} `no-session`. */
  showTask(taskId: TaskId): void {
    this.show(this.sessionOf(taskId), { preserveFocus: false });
  }

  /** Shows a session's terminal: what a living one does, or the recording of one that is over. */
  showSession(sessionId: SessionId): void {
    this.show(sessionId, { preserveFocus: false });
  }

  /**
   * Lets the user type into the session of a task. @throws {UserError} `no-session`, and what `Executor.takeOver` throws.
   */
  async takeOver(taskId: TaskId): Promise<void> {
    const sessionId = this.sessionOf(taskId);
    this.show(sessionId, { preserveFocus: false });
    await this.open.get(sessionId)?.pty.takeOver();
  }

  /** Lets the agent of a task go on. @throws {UserError} `no-session`, `taken-elsewhere`. */
  async giveBack(taskId: TaskId): Promise<void> {
    if (await this.open.get(this.sessionOf(taskId))?.pty.giveBack()) return;
    throw new UserError('taken-elsewhere', l10n.t('Another window has the keyboard of this task. Give it back there.'));
  }

  /** Closes the terminals; the sessions go on. */
  dispose(): void {
    this.store.dispose();
    for (const { terminal, pty } of [...this.open.values()]) {
      pty.dispose();
      terminal.dispose();
    }
    this.open.clear();
  }

  private sessionOf(taskId: TaskId): SessionId {
    const { tasks, runs, sessions } = this.link.state;
    const run = runs.get(tasks.get(taskId)?.runId ?? '');
    const sessionId = run?.sessionId ?? undefined;
    if (sessionId === undefined || !sessions.has(sessionId)) {
      throw new UserError('no-session', l10n.t('The task has no living session. Its details show what it did.'));
    }
    return sessionId;
  }

  private follow(events: readonly AirlockEvent[]): void {
    for (const event of events) {
      if (event.kind === 'session.created' && this.opensAutomatically.value) {
        this.show(event.sessionId, { preserveFocus: true });
      }
      if (event.kind === 'session.closed') this.open.get(event.sessionId)?.pty.sessionEnded();
    }
  }

  private show(sessionId: SessionId, { preserveFocus }: { readonly preserveFocus: boolean }): void {
    const { terminal } = this.open.get(sessionId) ?? this.create(sessionId);
    terminal.show(preserveFocus);
  }

  private create(sessionId: SessionId): OpenTerminal {
    const pty = new SessionTerminal(
      () => this.link.ready(),
      sessionId,
      () => this.open.delete(sessionId),
    );
    const terminal = vscode.window.createTerminal({
      name: this.nameOf(sessionId),
      pty,
      iconPath: new vscode.ThemeIcon('shield'),
      isTransient: true,
    });
    const opened = { terminal, pty };
    this.open.set(sessionId, opened);
    return opened;
  }

  private nameOf(sessionId: SessionId): string {
    const view = sessionViewOf(this.link.state, sessionId);
    return view ? oneLine(titleOf(view), 60) : l10n.t('Airlock session');
  }
}
