/** What a collector of metrics is told of requests and tasks, in the words of OpenTelemetry's conventions for generative AI, 1.41. */
import type { AirlockEvent } from '../core/events';
import { type Instrument, MetricSeries } from './metricSeries';
import type { Attributes } from './otlpJson';
import type { Span } from './runSpans';

/** The bounds that the conventions ask for. */
const tokenBounds = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
const secondBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

const instruments = {
  tokens: {
    name: 'gen_ai.client.token.usage',
    unit: '{token}',
    description: 'Number of input and output tokens used.',
    kind: 'histogram',
    bounds: tokenBounds,
  },
  duration: {
    name: 'gen_ai.client.operation.duration',
    unit: 's',
    description: 'GenAI operation duration.',
    kind: 'histogram',
    bounds: secondBounds,
  },
  firstChunk: {
    name: 'gen_ai.client.operation.time_to_first_chunk',
    unit: 's',
    description: 'Time from sending a request to the first part of its answer.',
    kind: 'histogram',
    bounds: secondBounds,
  },
  cost: {
    name: 'airlock.cost.usd',
    unit: '{USD}',
    description: 'US dollars of requests whose price is known.',
    kind: 'amount',
  },
  unpriced: {
    name: 'airlock.requests.unpriced',
    unit: '{request}',
    description: 'Requests whose price is not known.',
    kind: 'count',
  },
  tasks: {
    name: 'airlock.tasks.ended',
    unit: '{task}',
    description: 'Tasks that ended, by outcome.',
    kind: 'count',
  },
} as const satisfies Record<string, Instrument>;

/** Which request it was: what of a span the metrics are told apart by. */
const requestNames = [
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'gen_ai.response.model',
] as const;

/** Counts since it was made. */
export class RunMetrics {
  private readonly tokens = new MetricSeries(instruments.tokens);
  private readonly duration = new MetricSeries(instruments.duration);
  private readonly firstChunk = new MetricSeries(instruments.firstChunk);
  private readonly cost = new MetricSeries(instruments.cost);
  private readonly unpriced = new MetricSeries(instruments.unpriced);
  private readonly tasks = new MetricSeries(instruments.tasks);

  /** @param ended the spans that ended with the event. */
  take(event: AirlockEvent, ended: readonly Span[]): void {
    if (event.kind === 'task.ended') this.tasks.add(1, { 'airlock.task.outcome': event.outcome });
    for (const span of ended) if (span.attributes['gen_ai.operation.name'] === 'chat') this.takeRequest(span);
  }

  /** `Metric`s in JSON: those of which there is something to tell. */
  metrics(startMs: number, nowMs: number): object[] {
    const { tokens, duration, firstChunk, cost, unpriced, tasks } = this;
    return [tokens, duration, firstChunk, cost, unpriced, tasks]
      .filter(({ isEmpty }) => !isEmpty)
      .map((series) => series.metric(startMs, nowMs));
  }

  private takeRequest({ attributes, startMs, endMs, error }: Span): void {
    const request: Attributes = Object.fromEntries(
      requestNames.flatMap((name) => (attributes[name] === undefined ? [] : [[name, attributes[name]]])),
    );
    const seconds = Math.max(0, endMs - startMs) / 1000;
    this.duration.add(seconds, { ...request, ...(error === undefined ? {} : { 'error.type': error }) });
    this.addNumber(this.firstChunk, attributes['gen_ai.response.time_to_first_chunk'], request);
    const { 'gen_ai.usage.input_tokens': input, 'gen_ai.usage.output_tokens': output } = attributes;
    this.addNumber(this.tokens, input, { ...request, 'gen_ai.token.type': 'input' });
    this.addNumber(this.tokens, output, { ...request, 'gen_ai.token.type': 'output' });
    const cost = attributes['airlock.cost.usd'];
    this.addNumber(this.cost, cost, request);
    if (input !== undefined && cost === undefined) this.unpriced.add(1, request);
  }

  private addNumber(series: MetricSeries, value: string | number | undefined, attributes: Attributes): void {
    if (typeof value === 'number') series.add(value, attributes);
  }
}
