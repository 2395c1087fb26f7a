import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { messageOf } from '../../base/errors';
import { makeVisible } from '../../base/visible';
import type { Executor } from '../../core/executor';
import type { SessionId } from '../../core/ids';

const [grey, reset] = ['\x1b[90m', '\x1b[0m'];

/**
 * What a session shows, in a terminal of VS Code that only reads. What was shown before it was opened comes first. The
 * session's room has filtered the text already. Closing it ends the view and nothing else.
 */
export class SessionTerminal implements vscode.Pseudoterminal, Disposable {
  private readonly store = new DisposableStore();
  private readonly written = this.store.add(new vscode.EventEmitter<string>());
  readonly onDidWrite = this.written.event;
  private watch: Disposable | undefined;
  private closed = false;
  private saidReadOnly = false;

  constructor(
    private readonly executor: () => Promise<Executor>,
    private readonly sessionId: SessionId,
    private readonly onClose: () => void,
  ) {}

  open(): void {
    void this.follow();
  }

  /** VS Code calls it when the user closes the terminal. */
  close(): void {
    this.dispose();
    this.onClose();
  }

  handleInput(): void {
    if (this.saidReadOnly || this.closed) return;
    this.saidReadOnly = true;
    this.say(l10n.t('This terminal shows what the agent does; it takes no input.'));
  }

  /** The session is over, and has said so itself: what it showed stays to be read. */
  sessionEnded(): void {
    this.watch?.dispose();
    this.watch = undefined;
  }

  dispose(): void {
    this.closed = true;
    this.watch?.dispose();
    this.watch = undefined;
    this.store.dispose();
  }

  private async follow(): Promise<void> {
    try {
      const executor = await this.executor();
      const watch = await executor.watchSession(this.sessionId, (text) => this.written.fire(text));
      // It may have been closed while the executor was being asked.
      if (this.closed) watch.dispose();
      else this.watch = watch;
    } catch (error) {
      if (!this.closed) this.say(l10n.t('The session cannot be shown: {0}', makeVisible(messageOf(error))));
    }
  }

  private say(text: string): void {
    this.written.fire(`\r\n${grey}${text.replace(/\r?\n/g, '\r\n')}${reset}\r\n`);
  }
}
