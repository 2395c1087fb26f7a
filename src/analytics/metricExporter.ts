/** Sends metrics to a collector of the user's. */
import type { Disposable } from '../base/disposable';
import type { Executor } from '../core/executor';
import { OtlpSender, type TelemetryOptions } from './otlpSender';
import { RunMetrics } from './runMetrics';
import { RunSpans } from './runSpans';

/** As OpenTelemetry's SDKs have it. */
const intervalMs = 60_000;

/**
 * Follows an executor, and tells every minute and at the end what has been since this began; nothing of that outlives it. A collector
 * that is away misses nothing but points in time: the next ones hold all of it.
 */
export class MetricExporter {
  private readonly metrics = new RunMetrics();
  private readonly startMs: number;
  private timer: Disposable | undefined;
  private sending: Promise<unknown> = Promise.resolve();
  private readonly following: Disposable;
  private readonly sender: OtlpSender;

  constructor(
    executor: Pick<Executor, 'state' | 'onDidAppend'>,
    private readonly options: TelemetryOptions,
  ) {
    const spans = new RunSpans(() => executor.state, options.providerOf);
    this.sender = new OtlpSender('metrics', options);
    this.startMs = options.clock.nowMs();
    this.following = executor.onDidAppend((events) => {
      for (const event of events) this.metrics.take(event, spans.take(event));
    });
    this.sendEveryMinute();
  }

  /** Sends them once more, for two seconds at most; not to a collector that is known to be away. */
  async close(): Promise<void> {
    this.following.dispose();
    this.timer?.dispose();
    await this.sender.close(this.sending, () => this.send());
  }

  private sendEveryMinute(): void {
    this.timer = this.options.clock.setTimer(intervalMs, () => {
      this.sending = this.sending.then(() => this.send());
      this.sendEveryMinute();
    });
  }

  /** An `ExportMetricsServiceRequest` in JSON. */
  private async send(): Promise<void> {
    const metrics = this.metrics.metrics(this.startMs, this.options.clock.nowMs());
    if (metrics.length === 0) return;
    const { resource, scope } = this.sender.origin;
    await this.sender.send({ resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] });
  }
}
