import { type Clock, sleep } from '../base/clock';
import { DisposableStore } from '../base/disposable';
import { Emitter } from '../base/emitter';
import type { HandedBack, Keyboard, TerminalSize } from '../core/keyboard';
import { changedPaths, type FolderListing, listFolder } from './folderListing';
import { type JailedProcess, signalProcess } from './jailProcesses';
import type { JailTerminal } from './sessionJail';
import type { SessionShells } from './sessionShells';

/** How long the user's programs have to end after SIGHUP, and how long the shell may take to say that it has started. */
const graceMs = 300;
const startMs = 5_000;
const stepMs = 10;

export interface TakeOverParts {
  readonly shells: SessionShells;
  readonly terminal: JailTerminal;
  readonly workspace: string;
  readonly clock: Clock;
  readonly onListenerError: (error: unknown) => void;
  readonly onOutput: (text: string) => void;
  /** The agent's processes go on from here. Not called when the session is over. */
  readonly onHandBack: (handedBack: HandedBack) => void;
}

/**
 * One turn of the user at the terminal: the agent's processes are stopped, the user's shell runs, and when that ends or is
 * given back, what is left of it is ended, what has changed is listed, and the agent's processes go on.
 */
export class TakeOver implements Keyboard {
  private readonly ended: Emitter<void>;
  private readonly watches = new DisposableStore();
  private stopped: readonly JailedProcess[] = [];
  private before: FolderListing | null = null;
  private generation = '';
  /** The process above the user's shell, by its number in the jail. */
  private shellParent: number | undefined;
  private shellEnded = false;
  private state: 'open' | 'ending' | 'over' = 'open';
  private finished: Promise<void> | undefined;

  constructor(private readonly parts: TakeOverParts) {
    this.ended = new Emitter(parts.onListenerError);
  }

  readonly onDidEnd: Keyboard['onDidEnd'] = (listener) => {
    const watch = this.ended.event(listener);
    if (this.isOver) listener();
    return watch;
  };

  /** Stops the agent and starts the user's shell. */
  async begin(size: TerminalSize): Promise<void> {
    const { shells, terminal } = this.parts;
    this.stopped = shells.stopAgent();
    this.before = await this.list();
    if (this.state !== 'open') return;
    this.resize(size);
    this.watches.add(terminal.onDidData((text) => this.parts.onOutput(text)));
    this.watches.add(
      shells.onDidKeyboard((message) => {
        if (message.generation !== this.generation) return;
        if (message.kind === 'keyboardStarted') this.shellParent = message.pid;
        else this.onShellEnded();
      }),
    );
    this.generation = shells.startKeyboard();
  }

  write(keys: string): void {
    if (this.state === 'open') this.parts.terminal.write(keys);
  }

  resize({ columns, rows }: TerminalSize): void {
    if (this.state === 'open') this.parts.terminal.resize(columns, rows);
  }

  giveBack(): Promise<void> {
    this.finished ??= this.finish();
    return this.finished;
  }

  /** The session is over: there is nothing to give back. */
  abandon(): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.watches.dispose();
    this.ended.fire();
    this.ended.dispose();
  }

  private onShellEnded(): void {
    this.shellEnded = true;
    this.giveBack().catch(this.parts.onListenerError);
  }

  private async finish(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'ending';
    if (this.generation !== '') await this.endPrograms();
    const after = await this.list();
    for (const process of this.stopped) signalProcess(process, 'SIGCONT');
    if (this.isOver) return;
    const changedFiles = this.before && after ? changedPaths(this.before, after) : null;
    this.parts.onHandBack({ changedFiles });
    this.abandon();
  }

  /** What the user runs ends as it does when a terminal is closed; what has left the terminal stays. */
  private async endPrograms(): Promise<void> {
    await this.until(() => this.shellParent !== undefined, startMs);
    for (const signal of ['SIGHUP', 'SIGKILL'] as const) {
      for (const process of this.programs()) {
        signalProcess(process, signal);
        // One that is stopped would never notice.
        signalProcess(process, 'SIGCONT');
      }
      await this.until(() => this.shellEnded && this.programs().length === 0, graceMs);
    }
  }

  private programs(): JailedProcess[] {
    return this.shellParent === undefined ? [] : this.parts.shells.below(this.shellParent);
  }

  private async until(condition: () => boolean, withinMs: number): Promise<void> {
    for (let waitedMs = 0; waitedMs < withinMs && !condition() && !this.isOver; waitedMs += stepMs) {
      await sleep(this.parts.clock, stepMs);
    }
  }

  /** A method, because it may change while something is awaited. */
  private get isOver(): boolean {
    return this.state === 'over';
  }

  private async list(): Promise<FolderListing | null> {
    try {
      return await listFolder(this.parts.shells.channel('search'), this.parts.workspace);
    } catch {
      // The session has ended: who waits for it is told by that.
      return null;
    }
  }
}
