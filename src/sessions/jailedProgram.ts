import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable';
import { FifoWriter, fifoReader, makeFifos } from './fifo';
import { channelsInJail } from './launcher';
import { MarkerSplitter } from './markerSplitter';
import { shellQuote } from './shellQuote';

const ends = ['in', 'out', 'err'] as const;

/** One program of the jail, with pipes of its own. */
export class JailedProgram implements Disposable {
  /** Names it in messages, and ends its output. */
  readonly nonce = randomBytes(16).toString('hex');
  /** The leader of its process session, by its number in the jail. */
  leader: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<number | null>;
  private readonly resources = new DisposableStore();
  private readonly outputs: readonly ProgramOutput[];
  private readonly input: FifoWriter;
  private tellEnd: (exitCode: number | null) => void = () => {};
  private exitCode: number | null | undefined;

  private constructor(private readonly folder: string) {
    this.input = this.resources.add(new FifoWriter(join(folder, 'in'), () => {}));
    const output = (end: string): ProgramOutput =>
      this.resources.add(new ProgramOutput(fifoReader(join(folder, end)), this.nonce, () => this.tellWhenOver()));
    const [stdout, stderr] = [output('out'), output('err')];
    this.outputs = [stdout, stderr];
    this.stdout = stdout.stream;
    this.stderr = stderr.stream;
    this.ended = new Promise((resolve) => (this.tellEnd = resolve));
    this.resources.add(toDisposable(() => this.tellEnd(this.exitCode ?? null)));
  }

  /** `folder` is a new one below the channels, that the jail's account is given by `handOver`. */
  static async prepare(folder: string, handOver: (folder: string) => Promise<void>): Promise<JailedProgram> {
    await mkdir(folder, { mode: 0o700 });
    await makeFifos(ends.map((name) => join(folder, name)));
    await handOver(folder);
    return new JailedProgram(folder);
  }

  /**
   * For the agent's shell: it opens the pipes, starts the program as a process session of its own, and lets go of both. All
   * of the program's own descriptors above 2 are closed.
   */
  script(argv: readonly string[], environment: Readonly<Record<string, string>>, name: string): string {
    const pipe = (end: string): string => `${channelsInJail}/${name}/${end}`;
    const words = ['env', ...Object.entries(environment).map(([key, value]) => `${key}=${value}`), ...argv];
    const inner = `\\builtin printf '\\0background %s %s\\0' ${this.nonce} "$$" >&249; \\exec 249>&-; \\exec "$@"`;
    const mark = `\\builtin printf '\\036%s\\036' ${this.nonce}`;
    const start =
      `{ \\command env --default-signal setsid --wait bash --norc --noprofile -c ${shellQuote(inner)} bash ${words.map(shellQuote).join(' ')} ` +
      `<&245 >&246 2>&244 244>&- 245<&- 246>&-; ` +
      `\\builtin printf '\\0%s %s /\\0' ${this.nonce} "$?" >&249; ${mark} >&246; ${mark} >&244; } 247>&- 248>&- &`;
    const open = `\\exec 244>${pipe('err')} 245<${pipe('in')} 246>${pipe('out')}`;
    return `if ${open}; then ${start} \\exec 244>&- 245<&- 246>&-; else \\builtin false; fi`;
  }

  /** Both ends are open: nobody else can open them any more. */
  async started(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  write(text: string): void {
    this.input.write(text);
  }

  /** What was written and not read yet is still there for the program, and then its input ends. */
  endInput(): void {
    this.input.finish();
  }

  /** It has ended. `null`: nobody saw how, and no more of its output is waited for. */
  finished(exitCode: number | null): void {
    this.exitCode ??= exitCode;
    if (exitCode === null) for (const output of this.outputs) output.end();
    this.tellWhenOver();
  }

  dispose(): void {
    this.resources.dispose();
  }

  private tellWhenOver(): void {
    if (this.exitCode !== undefined && this.outputs.every(({ isOver }) => isOver)) this.dispose();
  }
}

/** One of a program's outputs: its pipe up to the marker, held back while nobody reads. */
class ProgramOutput implements Disposable {
  readonly stream = new PassThrough();
  isOver = false;

  constructor(
    private readonly pipe: Socket,
    nonce: string,
    private readonly onOver: () => void,
  ) {
    const splitter = new MarkerSplitter();
    splitter.expect([nonce]);
    pipe.on('data', (piece: Buffer) => {
      for (const part of splitter.push(piece)) {
        if (part.kind === 'marker') this.end();
        else if (!this.isOver && !this.stream.write(part.bytes)) this.hold();
      }
    });
    // The other end of a pipe cannot fail; what is left in it goes with the jail.
    pipe.on('error', () => {});
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.stream.end();
    this.onOver();
  }

  dispose(): void {
    this.end();
    this.pipe.destroy();
  }

  private hold(): void {
    this.pipe.pause();
    this.stream.once('drain', () => this.pipe.resume());
  }
}
