/** Numbers that are added up by their attributes, as OTLP's JSON tells them: cumulative, since the executor that counts was opened. */
import { type Attributes, attributesOf, nanosOf } from './otlpJson';

export interface Instrument {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** `count`: whole numbers; `amount`: any; `histogram`: how they are spread over `bounds`. */
  readonly kind: 'count' | 'amount' | 'histogram';
  /** Upper bounds of the buckets, each still in its own; above the last is one more. */
  readonly bounds?: readonly number[];
}

interface Point {
  readonly attributes: Attributes;
  count: number;
  sum: number;
  min: number;
  max: number;
  readonly buckets: number[];
}

/** A server can name a new model in each answer: what comes after these is counted together, as OpenTelemetry's SDKs do. */
const maxPoints = 200;
const overflow: Attributes = { 'otel.metric.overflow': true };
const cumulative = 2;

/** One instrument. */
export class MetricSeries {
  private readonly points = new Map<string, Point>();

  constructor(private readonly instrument: Instrument) {}

  add(value: number, attributes: Attributes): void {
    const point = this.pointOf(attributes);
    point.count += 1;
    point.sum += value;
    point.min = Math.min(point.min, value);
    point.max = Math.max(point.max, value);
    const above = this.bounds.findIndex((bound) => value <= bound);
    const bucket = above === -1 ? this.bounds.length : above;
    point.buckets[bucket] = (point.buckets[bucket] ?? 0) + 1;
  }

  get isEmpty(): boolean {
    return this.points.size === 0;
  }

  /** A `Metric` in JSON. */
  metric(startMs: number, nowMs: number): object {
    const { name, unit, description, kind } = this.instrument;
    const dataPoints = [...this.points.values()].map((point) => ({
      attributes: attributesOf(point.attributes),
      startTimeUnixNano: nanosOf(startMs),
      timeUnixNano: nanosOf(Math.max(startMs, nowMs)),
      ...this.valueOf(point),
    }));
    const data = { dataPoints, aggregationTemporality: cumulative };
    const told = kind === 'histogram' ? { histogram: data } : { sum: { ...data, isMonotonic: true } };
    return { name, unit, description, ...told };
  }

  private get bounds(): readonly number[] {
    return this.instrument.bounds ?? [];
  }

  private pointOf(attributes: Attributes): Point {
    const isFull = this.points.size >= maxPoints;
    const key = JSON.stringify(attributes);
    const found = this.points.get(key);
    if (found) return found;
    if (isFull && attributes !== overflow) return this.pointOf(overflow);
    const buckets = new Array<number>(this.bounds.length + 1).fill(0);
    const point: Point = { attributes, count: 0, sum: 0, min: Infinity, max: -Infinity, buckets };
    this.points.set(key, point);
    return point;
  }

  private valueOf({ count, sum, min, max, buckets }: Point): object {
    switch (this.instrument.kind) {
      case 'count':
        return { asInt: String(sum) };
      case 'amount':
        return { asDouble: sum };
      case 'histogram':
        return { count: String(count), sum, min, max, bucketCounts: buckets.map(String), explicitBounds: this.bounds };
    }
  }
}
