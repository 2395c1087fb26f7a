import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { UserError } from '../base/errors';
import type { Logger } from '../base/logger';
import { heldLimit } from '../core/heldLimit';
import type { SessionId } from '../core/ids';
import type { JailProof, LimitBreach } from '../core/jail';
import type { JailLimits } from '../core/jailPolicy';
import type { HandedBack, Keyboard, TerminalSize } from '../core/keyboard';
import type {
  ExecOptions,
  ExecResult,
  ProcessIdentity,
  Session,
  SessionFiles,
  SessionProgram,
  SessionStatus,
} from '../core/session';
import type { CanaryTrial } from '../jail/canaries/trial';
import { waitUntilDead } from '../jail/endProcess';
import type { ShownStream } from './outputCutter';
import type { PauseGate } from './pauseGate';
import { JailedBackground } from './jailedBackground';
import { processesOf } from './jailProcesses';
import type { Recording } from './recording';
import { redacted, type SecretPatterns } from './redactor';
import { JailedPrograms } from './jailedPrograms';
import { JailedFiles } from './sessionFiles';
import { failedCanaries, proofOf } from './sessionProof';
import type { SessionJail } from './sessionJail';
import type { SessionShells } from './sessionShells';
import { commandScript } from './shellChannel';
import { shellQuote } from './shellQuote';
import { TakeOver } from './takeOver';
import { TerminalFeed } from './terminalFeed';
import { endText, noteText, promptText } from './terminalText';

/** How a session ended. */
export interface SessionEnd {
  readonly reason: string;
  readonly breach: LimitBreach | null;
}

export interface LivingSessionOptions {
  readonly id: SessionId;
  /** Where the workspace is in the jail. */
  readonly workspace: string;
  /** The folder of the host that the jail sees as its channels. */
  readonly channelsFolder: string;
  /** Gives a folder of the host to the jail's account. */
  readonly handOver: (folder: string) => Promise<void>;
  /** Closed while a user has the keyboard. */
  readonly gate: PauseGate;
  readonly jail: SessionJail;
  readonly limits: JailLimits;
  /** Lays canaries out for this jail. */
  readonly startTrial: () => Promise<CanaryTrial>;
  readonly process: ProcessIdentity;
  /** Asked when the jail was killed and not by us: whether the kernel did that for want of memory. */
  readonly oomKilled: () => LimitBreach | undefined;
  readonly shells: SessionShells;
  readonly recording: Recording;
  /** What nobody is shown. */
  readonly secrets: SecretPatterns;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What was to be said while the user had the screen; more is left out. */
const maxUnsaid = 200;

const takenOverNote =
  'You have the keyboard; the agent waits. Code in the jail may read what is typed: no passwords, no keys.';
const givenBackNote = 'The agent has the keyboard again.';

/** See `Session`. It is born once its jail runs; it is handed out once that is proven. */
export class LivingSession implements Session {
  readonly files: SessionFiles;
  readonly terminal: TerminalFeed;
  readonly background: JailedBackground;
  private readonly programs: JailedPrograms;
  private readonly closed: Emitter<SessionEnd>;
  private readonly metLimit: Emitter<LimitBreach>;
  private readonly handedBack: Emitter<HandedBack>;
  private readonly watches = new DisposableStore();
  private knownProof: JailProof = { proven: false, canaries: [], durationMs: 0 };
  private state: SessionStatus = 'creating';
  private pendingCommands = 0;
  private end: SessionEnd | undefined;
  private keyboard: TakeOver | undefined;
  private readonly unsaid: string[] = [];
  /** What ran in the jail when it was handed out, or was vouched for. */
  private residents: ReadonlySet<string> = new Set();
  private finished: Promise<void> | undefined;

  constructor(private readonly options: LivingSessionOptions) {
    this.closed = new Emitter(this.onListenerError);
    this.metLimit = new Emitter(this.onListenerError);
    this.handedBack = new Emitter(this.onListenerError);
    this.terminal = new TerminalFeed(options.clock, this.onListenerError, options.secrets);
    this.files = new JailedFiles(options.shells.channel('files'), options.shells.channel('search'), options.gate);
    this.background = new JailedBackground({
      shells: options.shells,
      folder: options.channelsFolder,
      handOver: options.handOver,
      gate: options.gate,
      clock: options.clock,
      onOutput: (bytes) => this.show('stdout', bytes),
      onStart: (command) => this.say(promptText(command)),
    });
    this.watches.add(this.background);
    this.programs = this.watches.add(
      new JailedPrograms({
        shells: options.shells,
        folder: options.channelsFolder,
        handOver: options.handOver,
        clock: options.clock,
      }),
    );
    this.watches.add(options.shells.onDidOutput(({ stream, bytes }) => this.show(stream, bytes)));
    this.watches.add(options.shells.onDidBreak((reason) => this.kill({ reason, breach: null })));
    void options.jail.ended.then(() => this.finish());
  }

  private readonly onListenerError = (error: unknown): void =>
    this.options.logger.error('A listener of a session failed', error);

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
    if (this.keyboard) return 'paused';
    return this.state === 'ready' && this.pendingCommands > 0 ? 'busy' : this.state;
  }

  get onDidMeetLimit(): Session['onDidMeetLimit'] {
    return this.metLimit.event;
  }

  get onDidClose(): Session['onDidClose'] {
    return this.closed.event;
  }

  get onDidGiveBack(): Session['onDidGiveBack'] {
    return this.handedBack.event;
  }

  /** From now on it may be used. Legal while it is being created. */
  handOut(proof: JailProof): void {
    if (this.state !== 'creating') return;
    this.knownProof = proof;
    this.residents = this.runningNow();
    this.state = 'ready';
  }

  vouch(): void {
    if (this.state === 'ready') this.residents = this.runningNow();
  }

  async recheck(): Promise<string | undefined> {
    if (this.status !== 'ready') return `it is ${this.status}`;
    const strangers = [...this.runningNow()].filter((process) => !this.residents.has(process)).length;
    if (strangers > 0) return `${strangers} processes run in it that were not there when it was proven`;
    const trial = await this.options.startTrial();
    try {
      const proof = await proofOf(this.files, trial);
      if (!proof.proven) return `its jail does not hold any more: ${failedCanaries(proof)}`;
      this.knownProof = proof;
    } finally {
      await trial.dispose();
    }
    return this.end === undefined ? undefined : `it has ended: ${this.end.reason}`;
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
      const held = heldLimit(result, this.options.limits);
      this.showEnd(result, options, held);
      if (!held) return result;
      this.metLimit.fire(held);
      return { ...result, held };
    } finally {
      this.pendingCommands -= 1;
    }
  }

  start(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<SessionProgram> {
    return this.programs.start(argv, environment);
  }

  note(text: string): void {
    if (this.state !== 'closed') this.say(noteText(text));
  }

  async close(reason: string): Promise<void> {
    this.kill({ reason, breach: null });
    await waitUntilDead(this.process);
    await this.finish();
  }

  async takeOver(size: TerminalSize): Promise<Keyboard> {
    this.assertFree();
    const { shells, jail, gate, clock, workspace } = this.options;
    if (!jail.terminal) {
      throw new UserError('pty-unavailable', 'This session has no terminal: node-pty could not be loaded.');
    }
    gate.close();
    const terminal = jail.terminal;
    const keyboard = new TakeOver({
      shells,
      terminal: {
        ...terminal,
        resize: (columns, rows) => {
          terminal.resize(columns, rows);
          this.options.recording.resize({ columns, rows });
        },
      },
      workspace,
      clock,
      onListenerError: this.onListenerError,
      onOutput: (text) => this.show('screen', Buffer.from(text)),
      onHandBack: (handedBack) => this.handBack(handedBack),
    });
    this.say(noteText(takenOverNote));
    this.keyboard = keyboard;
    await keyboard.begin(size);
    return keyboard;
  }

  whenGivenBack(signal?: AbortSignal): Promise<void> {
    return this.options.gate.whenOpen(signal);
  }

  private kill(end: SessionEnd): void {
    this.end ??= end;
    this.options.jail.kill();
  }

  private runningNow(): Set<string> {
    return new Set(processesOf(this.options.process).map(({ pid, startTicks }) => `${pid} ${startTicks}`));
  }

  private finish(): Promise<void> {
    this.finished ??= this.finishNow(this.end ?? this.endByItself());
    return this.finished;
  }

  private endByItself(): SessionEnd {
    const breach = this.options.jail.wasKilled() ? this.options.oomKilled() : undefined;
    if (breach) return { reason: `The jail ${breach.detail}.`, breach };
    const words = this.options.jail.endWords();
    return { reason: `The jail ended by itself${words === '' ? '' : `: ${words}`}.`, breach: null };
  }

  private async finishNow(end: SessionEnd): Promise<void> {
    this.state = 'closed';
    this.endKeyboard();
    this.watches.dispose();
    this.options.shells.close(end.reason);
    this.say(noteText(`Session ended: ${end.reason}`));
    this.terminal.flush();
    await this.options.recording.close();
    this.closed.fire(end);
    this.closed.dispose();
    this.metLimit.dispose();
    this.handedBack.dispose();
    this.terminal.dispose();
  }

  private assertFree(): void {
    const reason = this.end?.reason ?? 'it is over';
    if (this.state !== 'ready') throw new UserError('session-closed', `The session has ended: ${reason}`, { reason });
    if (this.keyboard) {
      throw new UserError('session-taken', 'Somebody has the keyboard of this session already.', { id: this.id });
    }
  }

  private handBack(handedBack: HandedBack): void {
    this.endKeyboard();
    this.handedBack.fire(handedBack);
  }

  /** The terminal is put in order, what was to be said meanwhile is said, and who waits goes on. */
  private endKeyboard(): void {
    const { keyboard } = this;
    if (!keyboard) return;
    this.keyboard = undefined;
    this.terminal.endScreen();
    this.options.recording.endScreen();
    for (const text of [noteText(givenBackNote), ...this.unsaid.splice(0)]) this.say(text);
    this.options.gate.open();
    keyboard.abandon();
  }

  /** Nothing of ours is written over the user's screen. */
  private say(line: string): void {
    if (this.keyboard) {
      if (this.unsaid.length < maxUnsaid) this.unsaid.push(line);
      return;
    }
    const text = redacted(line, this.options.secrets);
    this.terminal.pushLine(text);
    this.options.recording.line(text);
  }

  private show(stream: ShownStream, bytes: Buffer): void {
    this.terminal.pushOutput(stream, bytes);
    if (this.options.recording.output(stream, bytes)) return;
    const agent = this.options.shells.channel('agent');
    agent.pause('recording');
    this.options.recording.whenDrained(() => agent.resume('recording'));
  }

  private showEnd(result: ExecResult, options: ExecOptions, held: LimitBreach | undefined): void {
    const text = endWords(result, options);
    if (text !== undefined) this.say(endText(text));
    if (held) this.say(noteText(`It seems to have met a limit of its jail: ${held.detail}.`));
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
