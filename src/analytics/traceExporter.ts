/** Sends spans to a collector of the user's. */
import type { Disposable } from '../base/disposable';
import type { Executor } from '../core/executor';
import { attributesOf, nanosOf } from './otlpJson';
import { OtlpSender, type TelemetryOptions } from './otlpSender';
import { RunSpans, type Span } from './runSpans';

const flushDelayMs = 5_000;
/** A collector that is away costs no more memory than these: the oldest are dropped, and the log says how many. */
const maxWaiting = 2_048;
const maxPerRequest = 512;

/** Follows an executor. What a collector does not take never holds up or fails a run. */
export class TraceExporter {
  private waiting: Span[] = [];
  private dropped = 0;
  private timer: Disposable | undefined;
  private sending: Promise<void> = Promise.resolve();
  private readonly following: Disposable;
  private readonly sender: OtlpSender;

  constructor(
    executor: Pick<Executor, 'state' | 'onDidAppend'>,
    private readonly options: TelemetryOptions,
  ) {
    const spans = new RunSpans(() => executor.state, options.providerOf);
    this.sender = new OtlpSender('traces', options);
    this.following = executor.onDidAppend((events) => {
      for (const event of events) this.waiting.push(...spans.take(event));
      this.limit();
      if (this.waiting.length > 0) this.flushSoon();
    });
  }

  /** Sends what waits, for two seconds at most; nothing to a collector that is known to be away. */
  async close(): Promise<void> {
    this.following.dispose();
    this.timer?.dispose();
    await this.sender.close(this.sending, () => this.flush());
  }

  private flushSoon(): void {
    this.timer ??= this.options.clock.setTimer(flushDelayMs, () => {
      this.timer = undefined;
      this.sending = this.sending.then(() => this.flush());
    });
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, maxPerRequest);
      if (!(await this.sender.send(this.request(batch)))) {
        // Kept for the next time.
        this.waiting.unshift(...batch);
        this.limit();
        return;
      }
      if (this.dropped > 0) this.options.logger.warn('Spans were dropped', { count: this.dropped });
      this.dropped = 0;
    }
  }

  private limit(): void {
    const over = this.waiting.length - maxWaiting;
    if (over <= 0) return;
    this.waiting.splice(0, over);
    this.dropped += over;
  }

  /** An `ExportTraceServiceRequest` in JSON. */
  private request(spans: readonly Span[]): object {
    const { resource, scope } = this.sender.origin;
    return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: spans.map(spanOf) }] }] };
  }
}

const kinds = { internal: 1, client: 3 } as const;

function spanOf({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, error }: Span): object {
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(Math.max(startMs, endMs)),
    attributes: attributesOf({ ...attributes, ...(error === undefined ? {} : { 'error.type': error }) }),
    status: error === undefined ? {} : { code: 2 },
  };
}
