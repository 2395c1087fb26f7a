import { createWriteStream, type WriteStream } from 'node:fs';
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import type { TerminalSize } from '../core/keyboard';
import type { ShownStream } from './outputCutter';
import type { SecretPatterns } from './redactor';
import { ShownStreams } from './shownStreams';

/** So much of a recording may be lost when its process dies. */
const gatherMs = 50;
const gatheredBytes = 64 * 1024;

export interface RecordingOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The file ends with a mark when it has grown to this. */
  readonly maxBytes: number;
  /** The size of the terminal, in characters. */
  readonly columns: number;
  readonly rows: number;
  /** What is left out of it. */
  readonly secrets: SecretPatterns;
}

/**
 * Everything that the session showed, from the first on, as asciicast v2: a header line, then a line `[seconds, "o", text]` for each piece.
 * What is written is filtered like the terminal's output, so that it is safe to play anywhere, without secrets, and not thinned. A file that
 * cannot be written is logged and harms nothing else.
 */
export class Recording {
  private readonly streams: ShownStreams;
  private startedMs: number | undefined;
  private readonly file: WriteStream;
  private writtenBytes = 0;
  /** What came in may be more than what is written: of a flood of control characters nothing is left. */
  private takenBytes = 0;
  private atLineStart = true;
  private timer: Disposable | undefined;
  private state: 'open' | 'full' | 'failed' = 'open';

  constructor(private readonly options: RecordingOptions) {
    this.streams = new ShownStreams(options.secrets);
    this.file = createWriteStream(options.path, { mode: 0o600, highWaterMark: 1024 * 1024 });
    this.file.on('error', (error) => {
      this.state = 'failed';
      options.logger.warn('A session is not recorded any more', { path: options.path, error: messageOf(error) });
      // Whoever waits for room must not wait for ever.
      this.file.emit('drain');
    });
  }

  /** @returns false when more than 1 MiB waits for the disk: hold the producer back until `whenDrained`. */
  output(stream: ShownStream, bytes: Buffer): boolean {
    if (this.state !== 'open') return true;
    this.takenBytes += bytes.length;
    const text = this.streams[stream].show(bytes);
    if (text !== '') this.atLineStart = text.endsWith('\n');
    return this.show(text);
  }

  /** A line of our own, already safe. It begins at the start of a line. */
  line(text: string): void {
    if (this.state !== 'open') return;
    const held = this.streams.flush();
    this.show(held + (this.atLineStart && held === '' ? text : `\u001b[0m\r\n${text}`));
    this.atLineStart = true;
  }

  /** The terminal has another size from here on. */
  resize({ columns, rows }: TerminalSize): void {
    if (this.state === 'open') this.writeLine(this.entry(`${columns}x${rows}`, 'r'));
  }

  /** The user has given the terminal back: it is put in order. */
  endScreen(): void {
    if (this.state !== 'open') return;
    this.show(this.streams.closing());
    this.atLineStart = false;
  }

  whenDrained(callback: () => void): void {
    this.file.once('drain', callback);
  }

  /** Resolves when all of it is written. */
  close(): Promise<void> {
    if (this.state === 'open') {
      this.show(this.streams.flush());
      this.begin();
      this.state = 'full';
    }
    this.writeGathered();
    return new Promise((resolve) => {
      if (this.file.closed) resolve();
      else this.file.once('close', resolve).end();
    });
  }

  private show(text: string): boolean {
    const drained = text === '' || this.writeLine(this.entry(text));
    if (Math.max(this.writtenBytes, this.takenBytes) < this.options.maxBytes) return drained;
    this.state = 'full';
    return this.writeLine(this.entry(`\u001b[0m\r\n\u001b[7m … the recording ends here: it is full … \u001b[0m\r\n`));
  }

  private entry(text: string, code: 'o' | 'r' = 'o'): unknown {
    const startedMs = this.begin();
    return [Math.round((this.options.clock.monotonicMs() - startedMs) * 1000) / 1_000_000, code, text];
  }

  /** A session may have waited long before anything happens in it: nobody wants to watch that. */
  private begin(): number {
    if (this.startedMs !== undefined) return this.startedMs;
    const { clock, columns, rows } = this.options;
    this.startedMs = clock.monotonicMs();
    const timestamp = Math.floor(clock.nowMs() / 1000);
    this.writeLine({ version: 2, width: columns, height: rows, timestamp, env: { TERM: 'xterm-256color' } });
    return this.startedMs;
  }

  private writeLine(value: unknown): boolean {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    this.writtenBytes += line.length;
    this.gather();
    const hasRoom = this.file.write(line);
    if (this.file.writableLength > gatheredBytes) this.writeGathered();
    return hasRoom;
  }

  /** What comes in a short time is written in one go: each write wakes another thread. */
  private gather(): void {
    if (this.timer) return;
    this.file.cork();
    this.timer = this.options.clock.setTimer(gatherMs, () => this.writeGathered());
  }

  private writeGathered(): void {
    if (!this.timer) return;
    this.timer.dispose();
    this.timer = undefined;
    this.file.uncork();
  }
}
