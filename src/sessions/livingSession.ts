import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import { Emitter } from '../base/emitter';
import type { Logger } from '../base/logger';
import type { SessionId } from '../core/ids';
import type { JailProof, LimitBreach } from '../core/jail';
import type { ExecOptions, ExecResult, ProcessIdentity, Session, SessionFiles, SessionStatus } from '../core/session';
import { waitUntilDead } from '../jail/endProcess';
import type { OutputStream } from './outputCutter';
import type { Recording } from './recording';
import { JailedFiles } from './sessionFiles';
import type { SessionJail } from './sessionJail';
import type { SessionShells } from './sessionShells';
import { commandScript } from './shellChannel';
import { shellQuote } from './shellQuote';
import { TerminalFeed } from './terminalFeed';
import { endText, noteText, promptText } from './terminalText';

/** How a session ended. */
export interface SessionEnd {
  readonly reason: string;
  readonly breach: LimitBreach | null;
}

export interface LivingSessionOptions {
  readonly id: SessionId;
  readonly jail: SessionJail;
  readonly process: ProcessIdentity;
  readonly shells: SessionShells;
  readonly recording: Recording;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** See `Session`. It is born once its jail runs; it is handed out once that is proven. */
export class LivingSession implements Session {
  readonly files: SessionFiles;
  readonly terminal: TerminalFeed;
  private readonly closed: Emitter<SessionEnd>;
  private readonly watches = new DisposableStore();
  private knownProof: JailProof = { proven: false, canaries: [], durationMs: 0 };
  private state: SessionStatus = 'creating';
  private pendingCommands = 0;
  private end: SessionEnd | undefined;
  private finished: Promise<void> | undefined;

  constructor(private readonly options: LivingSessionOptions) {
    const onListenerError = (error: unknown): void => options.logger.error('A listener of a session failed', error);
    this.closed = new Emitter(onListenerError);
    this.terminal = new TerminalFeed(options.clock, onListenerError);
    this.files = new JailedFiles(options.shells.channel('files'), options.shells.channel('search'));
    this.watches.add(options.shells.onDidOutput(({ stream, bytes }) => this.show(stream, bytes)));
    this.watches.add(options.shells.onDidBreak((reason) => this.kill({ reason, breach: null })));
    void options.jail.ended.then(() => this.finish());
  }

  get id(): SessionId {
    return this.options.id;
  }

  get process(): ProcessIdentity {
    return this.options.process;
  }

  get proof(): JailProof {
    return this.knownProof;
  }

  get status(): SessionStatus {
    return this.state === 'ready' && this.pendingCommands > 0 ? 'busy' : this.state;
  }

  get onDidClose(): Session['onDidClose'] {
    return this.closed.event;
  }

  /** From now on it may be used. Legal while it is being created. */
  handOut(proof: JailProof): void {
    if (this.state !== 'creating') return;
    this.knownProof = proof;
    this.state = 'ready';
  }

  /** Ends `watch` together with the session. */
  keep(watch: Disposable): void {
    this.watches.add(watch);
  }

  /** Ends the jail because it used up more than it may. */
  onBreach(breach: LimitBreach): void {
    this.kill({ reason: `The jail ${breach.detail}.`, breach });
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    this.pendingCommands += 1;
    try {
      const script = commandScript(shellQuote(command));
      const onStart = (): void => this.say(promptText(command));
      const result = await this.options.shells.channel('agent').run({ ...options, script, onStart });
      this.showEnd(result, options);
      return result;
    } finally {
      this.pendingCommands -= 1;
    }
  }

  note(text: string): void {
    if (this.state !== 'closed') this.say(noteText(text));
  }

  async close(reason: string): Promise<void> {
    this.kill({ reason, breach: null });
    await waitUntilDead(this.process);
    await this.finish();
  }

  /**
   * Gives the jail's terminal a shell of its own, in the folder where the agent's is, beside the agent's.
   * @throws {UserError} `pty-unavailable` when the session has no terminal.
   */
  openKeyboard(): NonNullable<SessionJail['terminal']> {
    return this.options.shells.openKeyboard(this.options.jail.terminal);
  }

  private kill(end: SessionEnd): void {
    this.end ??= end;
    this.options.jail.kill();
  }

  private finish(): Promise<void> {
    this.finished ??= this.finishNow(this.end ?? { reason: 'The jail ended by itself.', breach: null });
    return this.finished;
  }

  private async finishNow(end: SessionEnd): Promise<void> {
    this.state = 'closed';
    this.watches.dispose();
    this.options.shells.close(end.reason);
    this.say(noteText(`Session ended: ${end.reason}`));
    this.terminal.flush();
    await this.options.recording.close();
    this.closed.fire(end);
    this.closed.dispose();
    this.terminal.dispose();
  }

  private say(text: string): void {
    this.terminal.pushLine(text);
    this.options.recording.line(text);
  }

  private show(stream: OutputStream, bytes: Buffer): void {
    this.terminal.pushOutput(stream, bytes);
    if (this.options.recording.output(stream, bytes)) return;
    const agent = this.options.shells.channel('agent');
    agent.pause('recording');
    this.options.recording.whenDrained(() => agent.resume('recording'));
  }

  private showEnd(result: ExecResult, options: ExecOptions): void {
    const text = endWords(result, options);
    if (text !== undefined) this.say(endText(text));
  }
}

function endWords({ kind, exitCode }: ExecResult, { timeoutMs }: ExecOptions): string | undefined {
  switch (kind) {
    case 'exited':
      return exitCode === 0 ? undefined : `exit ${exitCode}`;
    case 'timedOut':
      return `ended after ${timeoutMs / 1000} s`;
    case 'cancelled':
      return 'cancelled';
    case 'shellEnded':
      return `the shell ended with ${exitCode}`;
  }
}
