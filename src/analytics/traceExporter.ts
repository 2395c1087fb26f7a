/** Sends spans to a collector of the user's, as OTLP over HTTP with JSON. Written by hand: the libraries for it need a newer Node than VS Code's. */
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import type { Executor } from '../core/executor';
import { RunSpans, type Span } from './runSpans';

export interface TraceExporterOptions {
  /** The collector's base address, as `http://127.0.0.1:4318`; spans go to `/v1/traces` below it. */
  readonly endpoint: string;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const flushDelayMs = 5_000;
const timeoutMs = 10_000;
/** At the end, for all that waits: somebody waits for the process to be over. */
const closingMs = 2_000;
/** A collector that is away costs no more memory than these: the oldest are dropped, and the log says how many. */
const maxWaiting = 2_048;
const maxPerRequest = 512;

/** Follows an executor. What a collector does not take never holds up or fails a run. */
export class TraceExporter {
  private waiting: Span[] = [];
  private dropped = 0;
  private isDown = false;
  private timer: Disposable | undefined;
  private sending: Promise<void> = Promise.resolve();
  private readonly ending = new AbortController();
  private readonly following: Disposable;
  private readonly url: string;

  constructor(
    executor: Pick<Executor, 'state' | 'onDidAppend'>,
    private readonly options: TraceExporterOptions,
  ) {
    const spans = new RunSpans(() => executor.state);
    this.url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`;
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
    const deadline = this.options.clock.setTimer(closingMs, () =>
      this.ending.abort(new Error(`no answer within ${closingMs / 1000} seconds at the end`)),
    );
    await this.sending;
    if (!this.isDown) await this.flush();
    deadline.dispose();
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
      try {
        await this.post(batch);
        if (this.isDown) this.options.logger.info('The collector of traces answers again', { dropped: this.dropped });
        this.isDown = false;
        this.dropped = 0;
      } catch (error) {
        // Kept for the next time; said once until it answers again.
        this.waiting.unshift(...batch);
        this.limit();
        if (!this.isDown) this.options.logger.warn('Traces could not be sent', { reason: messageOf(error) });
        this.isDown = true;
        return;
      }
    }
  }

  private limit(): void {
    const over = this.waiting.length - maxWaiting;
    if (over <= 0) return;
    this.waiting.splice(0, over);
    this.dropped += over;
  }

  private async post(spans: readonly Span[]): Promise<void> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(otlpTraces(spans, this.options.version)),
      // Not to where the user has not said that it may go.
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.ending.signal]),
    });
    await response.body?.cancel();
    // What it will never take is not sent again.
    if (response.status === 429 || response.status >= 500) throw new Error(`the collector answered ${response.status}`);
    if (!response.ok) this.options.logger.warn('The collector refused traces', { status: response.status });
  }
}

/** An `ExportTraceServiceRequest` in JSON. */
export function otlpTraces(spans: readonly Span[], version: string): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'airlock', 'service.version': version }) },
        scopeSpans: [{ scope: { name: 'airlock', version }, spans: spans.map(spanOf) }],
      },
    ],
  };
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

/** Whole numbers of 64 bits are text in OTLP's JSON. */
function nanosOf(ms: number): string {
  return (BigInt(Math.round(ms * 1000)) * 1000n).toString();
}

function attributesOf(attributes: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(attributes).map(([key, value]) => {
    if (typeof value === 'string') return { key, value: { stringValue: value } };
    return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } };
  });
}
