import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { messageOf } from '../../base/errors';
import { makeVisible } from '../../base/visible';
import type { Executor } from '../../core/executor';
import type { SessionId } from '../../core/ids';
import { type Keyboard, type TerminalSize, terminalSizeSchema } from '../../core/keyboard';

const [grey, reset] = ['\x1b[90m', '\x1b[0m'];

/** What a session's terminal has until VS Code says how large this one is. */
const defaultSize: TerminalSize = { columns: 120, rows: 30 };

/**
 * What a session shows, in a terminal of VS Code. What was shown before it was opened comes first. The session's room has
 * filtered the text already. It takes input only while the user has taken the session over; closing it gives the keyboard
 * back, and ends nothing but the view.
 */
export class SessionTerminal implements vscode.Pseudoterminal, Disposable {
  private readonly store = new DisposableStore();
  private readonly written = this.store.add(new vscode.EventEmitter<string>());
  readonly onDidWrite = this.written.event;
  private watch: Disposable | undefined;
  private closed = false;
  private saidReadOnly = false;
  private size = defaultSize;
  private keyboard: Keyboard | undefined;

  constructor(
    private readonly executor: () => Promise<Executor>,
    private readonly sessionId: SessionId,
    private readonly onClose: () => void,
  ) {}

  open(dimensions: vscode.TerminalDimensions | undefined): void {
    if (dimensions) this.setDimensions(dimensions);
    void this.follow();
  }

  /** VS Code calls it when the user closes the terminal. */
  close(): void {
    this.dispose();
    this.onClose();
  }

  setDimensions({ columns, rows }: vscode.TerminalDimensions): void {
    const size = terminalSizeSchema.safeParse({ columns, rows });
    if (!size.success) return;
    this.size = size.data;
    this.keyboard?.resize(this.size);
  }

  /**
   * Lets the user type into the session; the agent waits.
   * @throws {UserError} `session-taken`, `session-closed`, `unknown-session`, `pty-unavailable`.
   */
  async takeOver(): Promise<void> {
    if (this.keyboard || this.closed) return;
    const executor = await this.executor();
    const keyboard = await executor.takeOver(this.sessionId, this.size);
    if (this.closed) return keyboard.giveBack();
    this.keyboard = keyboard;
    keyboard.onDidEnd(() => {
      this.keyboard = undefined;
      this.saidReadOnly = false;
    });
    // It may have been resized while the executor was being asked.
    keyboard.resize(this.size);
  }

  /** Lets the agent go on. @returns whether this terminal had the keyboard. */
  async giveBack(): Promise<boolean> {
    const { keyboard } = this;
    await keyboard?.giveBack();
    return keyboard !== undefined;
  }

  handleInput(keys: string): void {
    if (this.keyboard) {
      this.keyboard.write(keys);
      return;
    }
    if (this.saidReadOnly || this.closed) return;
    this.saidReadOnly = true;
    this.say(l10n.t('This terminal shows what the agent does. Use "Airlock: Take Over Terminal" to type in it.'));
  }

  /** The session is over, and has said so itself: what it showed stays to be read. */
  sessionEnded(): void {
    this.watch?.dispose();
    this.watch = undefined;
  }

  dispose(): void {
    if (this.closed) return;
    this.closed = true;
    // Without a connection it goes back by itself.
    this.keyboard?.giveBack().catch(() => {});
    this.keyboard = undefined;
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
