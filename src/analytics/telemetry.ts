/** All that a collector of the user's gets: traces and metrics. */
import { randomUUID } from 'node:crypto';
import type { Executor } from '../core/executor';
import { MetricExporter } from './metricExporter';
import type { TelemetryOptions } from './otlpSender';
import { TraceExporter } from './traceExporter';

export interface Telemetry {
  /** Sends what waits, for two seconds at most. */
  close(): Promise<void>;
}

/** Follows an executor until it is closed. */
export function exportTelemetry(
  executor: Pick<Executor, 'state' | 'onDidAppend'>,
  given: Omit<TelemetryOptions, 'instanceId'>,
): Telemetry {
  const options: TelemetryOptions = { ...given, instanceId: randomUUID() };
  const exporters = [new TraceExporter(executor, options), new MetricExporter(executor, options)];
  return { close: async () => void (await Promise.all(exporters.map((exporter) => exporter.close()))) };
}
