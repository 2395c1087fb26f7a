import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import { fullJitterMs } from '../../base/backoff';
import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import { messageOf } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { SourceUnreachableError } from '../../core/source';
import type { OpenedEvents } from './api';

const backoff = { firstMs: 2_000, maxMs: 300_000 };
/** A server that has no stream now may have one after an update. */
const askAgainMs = 3_600_000;
/** Servers send something every 15 seconds or so; a stream that is silent for so long is opened anew. */
const silenceMs = 90_000;
/** A stream that has lived for so long was a good one: the next one is opened soon. */
const provenMs = 10_000;
/** News are passed on at most so often, however many events a server sends. */
const restMs = 1_000;

export interface EventFeedOptions {
  readonly open: () => Promise<OpenedEvents>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

/**
 * Listens to a server's stream of events for as long as it lives, and opens it again when it ends. It says only that there
 * may be news: what they are is looked up as ever, so that nothing depends on the events' content and none may get lost.
 */
export class EventFeed implements Disposable {
  private readonly news = new Emitter<void>();
  private readonly connection = new Emitter<boolean>();
  private stream: Readable | undefined;
  /** Opens it again, or gives it up for silent. */
  private timer: Disposable | undefined;
  private rest: Disposable | undefined;
  private opening = false;
  private failures = 0;
  private lastNewsMs = -Infinity;
  private disposed = false;

  constructor(private readonly options: EventFeedOptions) {}

  /** There may be something new. */
  readonly onDidHear = this.news.event;
  /** True when it listens from now on, false when it does not any more. */
  readonly onDidChangeListening = this.connection.event;

  get isListening(): boolean {
    return this.stream !== undefined;
  }

  /** Opens the stream now, unless it is open. */
  open(): void {
    if (this.opening || this.stream || this.disposed) return;
    this.opening = true;
    this.timer?.dispose();
    this.options.open().then(
      (opened) => {
        this.opening = false;
        this.take(opened);
      },
      (error: unknown) => {
        this.opening = false;
        const asked = error instanceof SourceUnreachableError ? error.retryAfterMs : null;
        this.options.logger.debug('The event stream cannot be opened', { reason: messageOf(error) });
        this.openLater(asked);
      },
    );
  }

  /** Opens it anew: after a sleep, nobody knows whether the old one still lives. */
  reopen(): void {
    this.failures = 0;
    this.end();
    this.open();
  }

  dispose(): void {
    this.disposed = true;
    this.end();
    this.timer?.dispose();
    this.rest?.dispose();
    this.news.dispose();
    this.connection.dispose();
  }

  private take(opened: OpenedEvents): void {
    if (opened.kind === 'unoffered') return this.openIn(askAgainMs);
    if (this.disposed) {
      opened.stream.destroy();
      return;
    }
    const { stream } = opened;
    this.stream = stream;
    this.watchSilence();
    const openedAtMs = this.options.clock.monotonicMs();
    const lines = new DataLines();
    stream.on('data', (chunk: Buffer) => {
      this.watchSilence();
      if (this.options.clock.monotonicMs() - openedAtMs >= provenMs) this.failures = 0;
      if (lines.hasData(chunk)) this.hear();
    });
    stream.on('error', () => this.ended(stream));
    stream.on('close', () => this.ended(stream));
    this.connection.fire(true);
    // What changed while it was closed, nobody has told.
    this.hear();
  }

  private ended(stream: Readable): void {
    if (this.stream !== stream) return;
    this.end();
    this.openLater(null);
  }

  private end(): void {
    const { stream } = this;
    this.stream = undefined;
    this.timer?.dispose();
    stream?.destroy();
    if (stream) this.connection.fire(false);
  }

  private hear(): void {
    if (this.rest) return;
    const waitMs = this.lastNewsMs + restMs - this.options.clock.monotonicMs();
    const tell = (): void => {
      this.rest = undefined;
      this.lastNewsMs = this.options.clock.monotonicMs();
      this.news.fire();
    };
    if (waitMs <= 0) tell();
    else this.rest = this.options.clock.setTimer(waitMs, tell);
  }

  private watchSilence(): void {
    const { stream } = this;
    this.timer?.dispose();
    this.timer = this.options.clock.setTimer(silenceMs, () => {
      if (stream) this.ended(stream);
    });
  }

  private openLater(askedMs: number | null): void {
    this.failures += 1;
    this.openIn(Math.max(100, askedMs ?? 0, fullJitterMs(this.failures, backoff, this.options.random)));
  }

  private openIn(delayMs: number): void {
    if (this.disposed) return;
    this.timer?.dispose();
    this.timer = this.options.clock.setTimer(delayMs, () => this.open());
  }
}

/** Whether an event with something in it came: a line that begins with `data`. Comments only show that the server lives. */
class DataLines {
  private readonly decoder = new StringDecoder('utf8');
  /** How the line begins that is not at its end yet. */
  private begun = '';

  hasData(chunk: Buffer): boolean {
    const text = this.begun + this.decoder.write(chunk);
    const last = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
    const begun = text.slice(last, last + 4);
    // Not twice for the same line.
    this.begun = begun === 'data' ? 'told' : begun;
    return /(?:^|[\r\n])data/.test(text);
  }
}
