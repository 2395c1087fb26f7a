import { type Clock, sleep } from '../../base/clock';
import { LineCutter } from '../../base/lineCutter';
import type { Session, SessionProgram } from '../../core/session';
import type { Launch } from './launch';
import { type ClaudeMessage, readMessage } from './wire';

/** A whole file can stand in one. */
const maxLineBytes = 64 * 1024 ** 2;
const keptWords = 2_000;
/** For writing down what it has not yet, when it is asked to end. */
const endGraceMs = 3_000;

/** Who hears what it says. */
export interface ClaudeListener {
  readonly onMessage: (message: ClaudeMessage) => void;
  /** A line that is none of its messages. */
  readonly onGarbage: () => void;
}

export interface ClaudeProcessOptions extends Launch, ClaudeListener {
  readonly session: Session;
  readonly clock: Clock;
}

/** Claude Code, running in the jail. */
export class ClaudeProcess {
  /** Its last words on stderr, once it has ended by itself or was ended. */
  readonly ended: Promise<string>;
  private words = '';
  private isOver = false;
  private listener: ClaudeListener;

  private constructor(
    private readonly program: SessionProgram,
    private readonly options: ClaudeProcessOptions,
  ) {
    this.listener = options;
    const lines = new LineCutter(maxLineBytes, (line) => this.receive(line));
    program.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    program.stderr.on('data', (bytes: Buffer) => {
      this.words = (this.words + bytes.toString('utf8')).slice(-keptWords);
    });
    this.ended = program.ended.then((exitCode) => {
      this.isOver = true;
      return this.words.trim() || (exitCode === null ? 'it was killed' : `exit code ${exitCode}`);
    });
  }

  static async start(options: ClaudeProcessOptions): Promise<ClaudeProcess> {
    return new ClaudeProcess(await options.session.start(options.argv, options.environment), options);
  }

  get isAlive(): boolean {
    return !this.isOver;
  }

  /** From now on somebody else hears it. */
  heardBy(listener: ClaudeListener): void {
    this.listener = listener;
  }

  write(line: string): void {
    this.program.write(line);
  }

  /** Lets it write down what it knows and end; one that does not is killed. */
  async end(): Promise<void> {
    this.program.endInput();
    const patience = new AbortController();
    await Promise.race([this.ended, sleep(this.options.clock, endGraceMs, patience.signal).catch(() => {})]);
    patience.abort();
    if (this.isAlive) await this.kill();
  }

  async kill(): Promise<void> {
    await this.program.kill();
  }

  private receive(line: string | undefined): void {
    if (line?.trim() === '') return;
    const message = line === undefined ? undefined : readMessage(line);
    if (message) this.listener.onMessage(message);
    else this.listener.onGarbage();
  }
}
