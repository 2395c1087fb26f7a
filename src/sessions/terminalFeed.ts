import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import type { SessionTerminal } from '../core/session';
import { OutputCutter, type OutputPiece, type ShownStream } from './outputCutter';
import type { SecretPatterns } from './redactor';
import { ShownStreams } from './shownStreams';
import { skippedText } from './terminalText';

/** One frame of a 60 Hz display. */
const frameMs = 16;
/**
 * In 16 ms these are less than 4 MB a second, line ends and marks included: a terminal in VS Code takes 5 to 35, and has no way
 * to say that it is behind.
 */
const frameBytes = 60 * 1024;
/** In characters: some 3,000 lines. */
const scrollbackChars = 256 * 1024;

type Item =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly cutter: OutputCutter }
  | { readonly kind: 'screenEnd' };

/**
 * What people see. Output is gathered for one frame, thinned to what a terminal can take (the start and the end of each
 * frame are kept, with a mark between), and only then filtered: whatever was cut, what comes out is safe.
 */
export class TerminalFeed implements SessionTerminal, Disposable {
  private readonly emitter: Emitter<string>;
  private readonly streams: ShownStreams;
  private items: Item[] = [];
  private timer: Disposable | undefined;
  private history: string[] = [];
  private historyChars = 0;
  private atLineStart = true;
  private spareCutter: OutputCutter | undefined;

  constructor(
    private readonly clock: Clock,
    onListenerError: (error: unknown) => void,
    secrets: SecretPatterns,
  ) {
    this.streams = new ShownStreams(secrets);
    this.emitter = new Emitter(onListenerError);
  }

  get onDidOutput(): SessionTerminal['onDidOutput'] {
    return this.emitter.event;
  }

  /** Output of the jail, as it came. */
  pushOutput(stream: ShownStream, bytes: Buffer): void {
    const last = this.items.at(-1);
    const item = last?.kind === 'output' ? last : { kind: 'output' as const, cutter: this.takeCutter() };
    if (item !== last) this.items.push(item);
    item.cutter.push(stream, bytes);
    this.schedule();
  }

  /** A line of our own, already safe. It begins at the start of a line. */
  pushLine(text: string): void {
    this.items.push({ kind: 'text', text });
    this.schedule();
  }

  /** The user has given the terminal back: it is put in order. */
  endScreen(): void {
    this.items.push({ kind: 'screenEnd' });
    this.schedule();
  }

  scrollback(): string {
    return this.history.join('');
  }

  /** Shows at once what is still waiting. */
  flush(): void {
    this.timer?.dispose();
    this.timer = undefined;
    const items = this.items;
    this.items = [];
    const text = items.map((item) => this.textOf(item)).join('');
    if (text === '') return;
    this.remember(text);
    this.emitter.fire(text);
  }

  dispose(): void {
    this.flush();
    this.emitter.dispose();
  }

  private schedule(): void {
    this.timer ??= this.clock.setTimer(frameMs, () => this.flush());
  }

  private textOf(item: Item): string {
    switch (item.kind) {
      case 'text':
        return this.line(item.text);
      case 'output':
        return this.outputOnce(item.cutter);
      case 'screenEnd':
        this.atLineStart = false;
        return this.streams.closing();
    }
  }

  private line(text: string): string {
    const held = this.streams.flush();
    const start = this.atLineStart && held === '' ? '' : '\u001b[0m\r\n';
    this.atLineStart = true;
    return held + start + text;
  }

  private outputOnce(cutter: OutputCutter): string {
    const text = this.output(cutter);
    cutter.clear();
    this.spareCutter = cutter;
    return text;
  }

  /** The memory of one frame serves the next. */
  private takeCutter(): OutputCutter {
    const cutter = this.spareCutter ?? new OutputCutter(frameBytes);
    this.spareCutter = undefined;
    return cutter;
  }

  private output(cutter: OutputCutter): string {
    const { head, droppedBytes, tail } = cutter.cut();
    if (droppedBytes === 0) return this.pieces([...head, ...tail]);
    const before = this.pieces(head) + this.streams.gap();
    this.atLineStart = true;
    return before + skippedText(droppedBytes) + this.pieces(tail);
  }

  private pieces(pieces: readonly OutputPiece[]): string {
    const text = pieces.map(({ stream, bytes }) => this.streams[stream].show(bytes)).join('');
    if (text !== '') this.atLineStart = text.endsWith('\n');
    return text;
  }

  private remember(text: string): void {
    this.history.push(text);
    this.historyChars += text.length;
    let dropped = false;
    while (this.historyChars > scrollbackChars && this.history.length > 1) {
      this.historyChars -= this.history.shift()?.length ?? 0;
      dropped = true;
    }
    if (dropped) this.cutToLine();
  }

  /** The oldest text begins with a whole line and in no colour that something dropped had set. */
  private cutToLine(): void {
    const oldest = this.history[0] ?? '';
    const whole = '\u001b[0m' + oldest.slice(oldest.indexOf('\n') + 1);
    this.historyChars += whole.length - oldest.length;
    this.history[0] = whole;
  }
}
