import { randomBytes } from 'node:crypto';
import { type Clock, sleep } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import { UserError } from '../base/errors';
import { Mutex } from '../base/mutex';
import type { ExecOptions, ExecResult } from '../core/session';
import { type ControlMessage, ControlReader } from './controlMessages';
import type { FifoReader, FifoWriter } from './fifo';
import { FlowGate, type FlowRate } from './flowGate';
import { nowTicks } from './jailProcesses';
import { MarkerSplitter } from './markerSplitter';
import type { OutputStream } from './outputCutter';
import type { PauseGate } from './pauseGate';
import { RunningCommand } from './runningCommand';

/** The host's ends of a channel's pipes. */
export interface ChannelPipes {
  readonly input: FifoWriter;
  readonly stdout: FifoReader;
  readonly stderr: FifoReader;
  readonly control: FifoReader;
}

/** What a channel needs of the session that it belongs to. */
export interface ChannelHost {
  readonly clock: Clock;
  /** Makes the launcher start a shell for this channel in `folder`. */
  startShell(generation: string, folder: string): void;
  /** Sends `signal` to every process that the running command started, at `sinceTicks` or later. @returns how many. */
  signalCommand(signal: NodeJS.Signals, sinceTicks: number): number;
  /** Kills this channel's shell itself. */
  killShell(): void;
  /** Output as it comes, between commands too. */
  onOutput?(stream: OutputStream, bytes: Buffer): void;
  /** What is told on this channel's control pipe of the user's shell. */
  onKeyboard?: ((message: KeyboardMessage) => void) | undefined;
  /** What is told of a command that is not the channel's running one. */
  onBackground?: ((message: BackgroundMessage) => void) | undefined;
  /** While it is closed no command begins, and the time of the one that runs stands still. */
  readonly gate?: PauseGate | undefined;
  /** The launcher does not answer: nothing can be run any more. */
  onBroken(reason: string): void;
}

export type KeyboardMessage = Extract<ControlMessage, { readonly kind: 'keyboardStarted' | 'keyboardEnded' }>;

export type BackgroundMessage = Extract<ControlMessage, { readonly kind: 'backgroundStarted' | 'finished' }>;

export interface ChannelRequest extends ExecOptions {
  /** One complete command of the shell, on as many lines as it likes. */
  readonly script: string;
  /** Bytes that the command reads from the shell's own input. */
  readonly input?: Uint8Array;
  /** Called when its turn has come. */
  readonly onStart?: () => void;
}

/** How long a process has to end after SIGTERM, and how long the shell has to notice that its command is gone. */
const graceMs = 200;
const sweepMs = 5;
/** How long the launcher may take to start a shell or to say that one has ended; it takes some 5 ms. */
const launcherMs = 10_000;
/** Between commands, output is taken at the rate at which it is shown: 64 KiB a frame. */
const idleRate: FlowRate = { bytes: 64 * 1024, restMs: 16 };
/** A message has some 50 bytes. More than this comes from somebody in the jail who means harm. */
const controlRate: FlowRate = { bytes: 64 * 1024, restMs: 250 };
/** Older ones have come by now, or never will. */
const maxStale = 4;

const streams: readonly OutputStream[] = ['stdout', 'stderr'];

/**
 * A living shell in the jail, one command at a time. What a command writes comes over pipes of its own; its end is told by
 * a marker with a nonce of 128 bits on both, and on the control pipe with the exit code and the folder. A command that ends
 * its shell, or has to be ended together with it, finds a new one afterwards, in the folder where the old one was last seen.
 *
 * Code in the jail can read the nonce in its parent's memory and forge a result: nothing that must be true is taken from here.
 */
export class ShellChannel implements Disposable {
  private readonly queue = new Mutex();
  private readonly resources = new DisposableStore();
  private readonly splitters = { stdout: new MarkerSplitter(), stderr: new MarkerSplitter() };
  private readonly outputGate: FlowGate;
  private readonly controlGate: FlowGate;
  private running: RunningCommand | undefined;
  private ready: Promise<void>;
  private onStarted: (() => void) | undefined;
  private generation = '';
  /** Markers that may still come of commands and shells that were given up: they are no output. */
  private stale: readonly string[] = [];
  private shellDead = false;
  private closedReason: string | undefined;
  /** The shell's and the launcher's numbers in the jail. */
  pids: { readonly shell: number; readonly launcher: number } | undefined;

  constructor(
    private readonly pipes: ChannelPipes,
    private readonly host: ChannelHost,
    private folder: string,
  ) {
    this.outputGate = this.resources.add(new FlowGate([pipes.stdout, pipes.stderr], host.clock, idleRate));
    this.controlGate = this.resources.add(new FlowGate([pipes.control], host.clock, controlRate));
    const control = new ControlReader();
    this.listen(pipes.control, (bytes) => {
      this.controlGate.count(bytes.length);
      for (const message of control.push(bytes)) this.onControl(message);
    });
    for (const stream of streams) this.listen(pipes[stream], (bytes) => this.onBytes(stream, bytes));
    this.resources.add(pipes.input);
    if (host.gate) this.resources.add(host.gate.onDidChange((closed) => this.running?.pauseTime(closed)));
    this.ready = this.startShell();
  }

  /** Where the shell was last seen. */
  get currentFolder(): string {
    return this.folder;
  }

  /** Resolves when a shell is there. It may have failed: then `run` says why. */
  whenReady(): Promise<void> {
    return this.ready;
  }

  /** @throws {UserError} `session-closed`. */
  assertOpen(): void {
    if (this.closedReason !== undefined) throw this.closedError();
  }

  /** @throws {UserError} `session-closed`. */
  run(request: ChannelRequest): Promise<ExecResult> {
    return this.queue.run(async () => {
      this.assertOpen();
      await this.host.gate?.whenOpen(request.signal);
      this.assertOpen();
      if (this.shellDead) this.ready = this.startShell();
      await this.ready;
      this.assertOpen();
      if (request.signal?.aborted) return RunningCommand.cancelled;
      return this.runNow(request);
    });
  }

  /** Leaves output in the pipes, so that whoever writes it has to wait, until `resume` with the same reason. */
  pause(reason: string): void {
    this.outputGate.hold(reason);
  }

  resume(reason: string): void {
    this.outputGate.release(reason);
  }

  /** What runs now fails with `session-closed`, and so does everything after it. */
  close(reason: string): void {
    this.closedReason ??= reason;
    this.onStarted?.();
    this.running?.fail(this.closedError());
    this.dispose();
  }

  dispose(): void {
    this.resources.dispose();
  }

  private async runNow(request: ChannelRequest): Promise<ExecResult> {
    const command = new RunningCommand(randomBytes(16).toString('hex'), this.generation, request, this.host.clock);
    this.running = command;
    request.onStart?.();
    this.expectMarkers(command.nonce);
    this.outputGate.forget();
    this.controlGate.forget();
    const sinceTicks = nowTicks();
    this.pipes.input.write(`${request.script}\n${request.input ? '' : endLine(command.nonce)}`);
    if (request.input) {
      this.pipes.input.write(request.input);
      this.pipes.input.write(endLine(command.nonce));
    }
    try {
      const interruption = await command.untilDoneOrInterrupted();
      if (interruption) await this.interrupt(command, sinceTicks);
      const { result, folder, shellGone } = command.outcome(interruption);
      this.folder = folder ?? this.folder;
      if (shellGone && this.closedReason === undefined) this.ready = this.startShell();
      return result;
    } finally {
      this.running = undefined;
      if (!command.isDone) this.giveUp(command.nonce);
      this.expectMarkers();
    }
  }

  /** Ends a command: its processes first, gently and then not, and the shell with it when that is still not enough. */
  private async interrupt(command: RunningCommand, sinceTicks: number): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      this.host.signalCommand(signal, sinceTicks);
      if (await command.doneWithin(graceMs)) break;
    }
    if (!command.isDone) {
      this.host.killShell();
      await command.doneWithin(graceMs);
    }
    await this.sweep(sinceTicks);
  }

  /** Until nothing is left of a command: not what it started while it was being ended, and not what dies slowly. */
  private async sweep(sinceTicks: number): Promise<void> {
    for (let waitedMs = 0; waitedMs < graceMs; waitedMs += sweepMs) {
      if (this.host.signalCommand('SIGKILL', sinceTicks) === 0) return;
      await sleep(this.host.clock, sweepMs);
    }
  }

  private async startShell(): Promise<void> {
    if (this.pids) this.host.killShell();
    this.pids = undefined;
    this.shellDead = false;
    this.giveUp(this.generation);
    this.generation = randomBytes(16).toString('hex');
    this.expectMarkers();
    this.pipes.input.discard();
    const started = new Promise<boolean>((resolve) => {
      const timer = this.host.clock.setTimer(launcherMs, () => resolve(false));
      this.onStarted = () => {
        timer.dispose();
        resolve(true);
      };
    });
    this.host.startShell(this.generation, this.folder);
    const inTime = await started;
    this.onStarted = undefined;
    if (!inTime) this.host.onBroken('The jail does not start a shell any more');
  }

  private giveUp(name: string): void {
    if (name !== '') this.stale = [name, ...this.stale].slice(0, maxStale);
  }

  private expectMarkers(...names: readonly string[]): void {
    for (const stream of streams) this.splitters[stream].expect([...names, this.generation, ...this.stale]);
  }

  private listen(pipe: FifoReader, onBytes: (bytes: Buffer) => void): void {
    pipe.onBytes(onBytes);
    this.resources.add(pipe);
  }

  private onBytes(stream: OutputStream, bytes: Buffer): void {
    for (const part of this.splitters[stream].push(bytes)) {
      if (part.kind === 'marker') this.running?.sawMarker(stream, part.name);
      else this.onOutput(stream, part.bytes);
    }
  }

  private onOutput(stream: OutputStream, bytes: Buffer): void {
    this.host.onOutput?.(stream, bytes);
    if (this.running && !this.running.isDone) this.running.output(stream, bytes);
    // What runs in the background may write as much as it likes, but not as fast.
    else this.outputGate.count(bytes.length);
  }

  private onControl(message: ControlMessage): void {
    if (message.kind === 'keyboardStarted' || message.kind === 'keyboardEnded') this.host.onKeyboard?.(message);
    else if (message.kind === 'backgroundStarted') this.host.onBackground?.(message);
    else if (message.kind === 'finished') this.onFinished(message);
    else if (message.generation !== this.generation) return;
    else if (message.kind === 'ended') this.shellEnded(message.exitCode);
    else {
      this.pids = { shell: message.pid, launcher: message.launcherPid };
      this.onStarted?.();
    }
  }

  private onFinished(message: Extract<ControlMessage, { readonly kind: 'finished' }>): void {
    if (this.running?.nonce === message.nonce) this.running.finished(message);
    else this.host.onBackground?.(message);
  }

  /**
   * A shell that ends while nothing runs was killed by something that an earlier command left behind. The next one is
   * started when it is needed: one that always dies must not be started without end.
   */
  private shellEnded(exitCode: number): void {
    this.pids = undefined;
    if (this.running) this.running.shellEnded(exitCode);
    else this.shellDead = true;
  }

  private closedError(): UserError {
    return new UserError('session-closed', `The session has ended: ${this.closedReason ?? ''}`, {
      reason: this.closedReason,
    });
  }
}

/**
 * Tells the end of the command before it. Backslashes keep aliases out, and `${PWD-}` a shell with `set -u`. The control
 * pipe comes first: `$?` is gone after that.
 */
function endLine(nonce: string): string {
  return (
    `\\builtin \\printf '\\0%s %s %s\\0' ${nonce} "$?" "\${PWD-}" >&249; ` +
    `\\builtin \\printf '\\036%s\\036' ${nonce} >&247; \\builtin \\printf '\\036%s\\036' ${nonce} >&248\n`
  );
}

/** The agent's command, with streams of its own that nothing in it can take away from the shell, and nothing on stdin. */
export function commandScript(quoted: string): string {
  return `\\command eval ${quoted} </dev/null >&247 2>&248 247>&- 248>&- 249>&-`;
}

/** A command of our own in a helper's shell: it reads what follows it from the shell's input. */
export function helperScript(script: string): string {
  return `{ ${script}\n} >&247 2>&248 247>&- 248>&- 249>&-`;
}
