import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import { Emitter } from '../base/emitter';
import type { BackgroundOutput } from '../core/background';
import { FifoReader, FifoWriter, makeFifos } from './fifo';
import { FlowGate, type FlowRate } from './flowGate';
import { channelsInJail } from './launcher';
import { MarkerSplitter } from './markerSplitter';
import { joinStream, OutputCutter } from './outputCutter';
import { shellQuote } from './shellQuote';

/** What is kept of the output that nobody has read yet. */
const keptBytes = 48_000;
/** It may write as much as it likes, but not faster than it can be shown. */
const shownRate: FlowRate = { bytes: 64 * 1024, restMs: 16 };

export interface BackgroundHost {
  readonly clock: Clock;
  readonly onOutput: (bytes: Buffer) => void;
}

/** One background command, with pipes of its own. */
export class BackgroundCommand implements Disposable {
  /** Names it in messages. */
  readonly nonce = randomBytes(16).toString('hex');
  /** The leader of its process session, by its number in the jail. */
  leader: number | undefined;
  private readonly resources = new DisposableStore();
  private readonly changed = new Emitter<void>();
  private readonly input: FifoWriter;
  private cutter = new OutputCutter(keptBytes);
  private exitCode: number | null | undefined;
  private sawEnd = false;

  private constructor(
    private readonly folder: string,
    host: BackgroundHost,
  ) {
    this.input = this.resources.add(new FifoWriter(join(folder, 'in'), () => {}));
    const output = new FifoReader(join(folder, 'out'));
    const gate = this.resources.add(new FlowGate([output], host.clock, shownRate));
    this.listen(output, (bytes) => {
      gate.count(bytes.length);
      host.onOutput(bytes);
    });
  }

  /** `folder` is a new one below the channels, that the jail's account is given by `handOver`. */
  static async prepare(
    folder: string,
    handOver: (folder: string) => Promise<void>,
    host: BackgroundHost,
  ): Promise<BackgroundCommand> {
    await mkdir(folder, { mode: 0o700 });
    await makeFifos(['in', 'out'].map((name) => join(folder, name)));
    await handOver(folder);
    return new BackgroundCommand(folder, host);
  }

  /** Called when it wrote something or has ended. */
  get onDidChange(): Emitter<void>['event'] {
    return this.changed.event;
  }

  get hasEnded(): boolean {
    return this.exitCode !== undefined && this.sawEnd;
  }

  get hasNews(): boolean {
    return this.hasEnded || this.cutter.keptBytes > 0;
  }

  /** For the agent's shell: it opens the pipes, starts the command as a process session of its own, and lets go of both. */
  script(command: string, name: string): string {
    const pipe = (end: string): string => `${channelsInJail}/${name}/${end}`;
    const inner = `\\builtin printf '\\0background %s %s\\0' ${this.nonce} "$$" >&249; \\exec 249>&-; \\builtin eval "$1"`;
    const start =
      `{ \\command env --default-signal setsid --wait bash --norc --noprofile -c ${shellQuote(inner)} bash ${shellQuote(command)} ` +
      `<&245 >&246 2>&246 245<&- 246>&-; ` +
      `\\builtin printf '\\0%s %s /\\0' ${this.nonce} "$?" >&249; \\builtin printf '\\036%s\\036' ${this.nonce} >&246; } ` +
      `247>&- 248>&- &`;
    return `if \\exec 245<${pipe('in')} 246>${pipe('out')}; then ${start} \\exec 245<&- 246>&-; else \\builtin false; fi`;
  }

  /** Both ends are open: nobody else can open them any more. */
  async started(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  write(text: string): void {
    this.input.write(text);
  }

  finished(exitCode: number | null): void {
    this.exitCode ??= exitCode;
    if (exitCode === null) this.sawEnd = true;
    this.changed.fire();
  }

  /** What came since the last time. */
  take(): BackgroundOutput {
    const { head, droppedBytes, tail } = this.cutter.cut();
    this.cutter = new OutputCutter(keptBytes);
    return {
      status: this.hasEnded ? { kind: 'ended', exitCode: this.exitCode ?? null } : { kind: 'running' },
      output: joinStream([...head, ...tail], 'stdout'),
      droppedBytes,
    };
  }

  dispose(): void {
    this.resources.dispose();
    this.changed.fire();
    this.changed.dispose();
  }

  private listen(output: FifoReader, onBytes: (bytes: Buffer) => void): void {
    const splitter = new MarkerSplitter();
    splitter.expect([this.nonce]);
    output.onBytes((piece) => {
      for (const part of splitter.push(piece)) {
        if (part.kind === 'marker') this.sawEnd = true;
        else {
          this.cutter.push('stdout', part.bytes);
          onBytes(part.bytes);
        }
      }
      this.changed.fire();
    });
    this.resources.add(output);
  }
}
