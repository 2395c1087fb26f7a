import type { Clock } from '../base/clock';
import type { ExecOptions, ExecResult } from '../core/session';
import { joinStream, OutputCutter, type OutputStream } from './outputCutter';
import { PausableTimer } from './pausableTimer';

/** Why a command is to be ended before it ends by itself. */
export type Interruption = 'timedOut' | 'cancelled';

/** What came of a command, and of the shell that ran it. */
export interface CommandOutcome {
  readonly result: ExecResult;
  /** Where the shell is now, when that is known. */
  readonly folder: string | undefined;
  /** The shell is dead, or does not answer: a new one is needed. */
  readonly shellGone: boolean;
}

/** Longer than any path can be. */
const maxFolderChars = 4096;

/**
 * One command while it runs: gathers its output and knows when all of it has come. That is when both streams have shown its
 * marker and the control pipe has told its exit code; or, when it took the shell with it, that shell's last markers.
 */
export class RunningCommand {
  static readonly cancelled: ExecResult = {
    kind: 'cancelled',
    exitCode: null,
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    droppedBytes: 0,
    durationMs: 0,
  };

  private readonly cutter: OutputCutter;
  private readonly startedMs: number;
  private readonly markers = new Set<string>();
  private timer: PausableTimer | undefined;
  private exit: { readonly exitCode: number; readonly folder: string } | undefined;
  private shellExitCode: number | undefined;
  private onDone: () => void = () => {};
  private onFail: (error: Error) => void = () => {};
  private readonly done = new Promise<void>((resolve, reject) => {
    this.onDone = resolve;
    this.onFail = reject;
  });

  constructor(
    readonly nonce: string,
    private readonly generation: string,
    private readonly options: ExecOptions,
    private readonly clock: Clock,
  ) {
    this.cutter = new OutputCutter(options.maxOutputBytes);
    this.startedMs = clock.monotonicMs();
    // Whoever waits sees the failure; that nobody waits yet is no crash.
    this.done.catch(() => {});
  }

  /** All of its output is there. */
  get isDone(): boolean {
    return this.exited || this.shellGone;
  }

  output(stream: OutputStream, bytes: Buffer): void {
    this.cutter.push(stream, bytes);
  }

  sawMarker(stream: OutputStream, name: string): void {
    this.markers.add(`${stream} ${name}`);
    this.check();
  }

  finished(message: { readonly nonce: string; readonly exitCode: number; readonly folder: string }): void {
    if (message.nonce === this.nonce) this.exit ??= { exitCode: message.exitCode, folder: message.folder };
    this.check();
  }

  shellEnded(exitCode: number): void {
    this.shellExitCode ??= exitCode;
    this.check();
  }

  fail(error: Error): void {
    this.onFail(error);
  }

  /** While it is paused its processes are stopped: that does not count. */
  pauseTime(paused: boolean): void {
    if (paused) this.timer?.pause();
    else this.timer?.resume();
  }

  /** Waits for its end, its time limit, or its caller. @returns why it must be ended, if it must. */
  async untilDoneOrInterrupted(): Promise<Interruption | undefined> {
    const { signal, timeoutMs } = this.options;
    let onAbort = (): void => {};
    const interrupted = new Promise<Interruption>((resolve) => {
      onAbort = () => resolve('cancelled');
      signal?.addEventListener('abort', onAbort, { once: true });
      this.timer = new PausableTimer(this.clock, timeoutMs, () => resolve('timedOut'));
    });
    try {
      return (await Promise.race([this.done, interrupted])) ?? undefined;
    } finally {
      this.timer?.dispose();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async doneWithin(delayMs: number): Promise<boolean> {
    let timer = { dispose: (): void => {} };
    const late = new Promise<void>((resolve) => (timer = this.clock.setTimer(delayMs, resolve)));
    await Promise.race([this.done, late]).finally(() => timer.dispose());
    return this.isDone;
  }

  outcome(interruption: Interruption | undefined): CommandOutcome {
    const folder = this.exit?.folder;
    return {
      result: this.result(interruption),
      folder: folder?.startsWith('/') && folder.length <= maxFolderChars ? folder : undefined,
      shellGone: !this.exited,
    };
  }

  private result(interruption: Interruption | undefined): ExecResult {
    const { head, droppedBytes, tail } = this.cutter.cut();
    const pieces = [...head, ...tail];
    const ended = this.exited
      ? { kind: 'exited' as const, exitCode: this.exit?.exitCode ?? null }
      : { kind: 'shellEnded' as const, exitCode: this.shellExitCode ?? null };
    return {
      ...(interruption ? { kind: interruption, exitCode: null } : ended),
      stdout: joinStream(pieces, 'stdout'),
      stderr: joinStream(pieces, 'stderr'),
      droppedBytes,
      durationMs: this.clock.monotonicMs() - this.startedMs,
    };
  }

  private get exited(): boolean {
    return this.exit !== undefined && this.sawBoth(this.nonce);
  }

  private get shellGone(): boolean {
    return this.shellExitCode !== undefined && this.sawBoth(this.generation);
  }

  private sawBoth(name: string): boolean {
    return this.markers.has(`stdout ${name}`) && this.markers.has(`stderr ${name}`);
  }

  private check(): void {
    if (this.isDone) this.onDone();
  }
}
