/** A collector of telemetry on loopback: a real server, which keeps what it is sent. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WireAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly WireAttribute[];
  readonly status: { readonly code?: number };
}

export interface WirePoint {
  readonly attributes: readonly WireAttribute[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly asInt?: string;
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}

interface WireData {
  readonly aggregationTemporality: number;
  readonly isMonotonic?: boolean;
  readonly dataPoints: readonly WirePoint[];
}

export interface WireMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: WireData;
  readonly histogram?: WireData;
}

export class Collector {
  /** `POST /v1/traces` and the like, in order. */
  readonly paths: string[] = [];
  readonly bodies: string[] = [];
  status = 200;
  location: string | undefined;
  /** False: it takes what it is sent, and says nothing. */
  answers = true;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Collector> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        collector.paths.push(`${request.method ?? ''} ${request.url ?? ''}`);
        collector.bodies.push(Buffer.concat(parts).toString('utf8'));
        if (!collector.answers) return;
        const { location } = collector;
        response.writeHead(collector.status, location === undefined ? {} : { location });
        response.end('{}');
      });
    });
    const collector = new Collector(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** What came for a path, such as `/v1/metrics`. */
  bodiesAt(path: string): string[] {
    return this.bodies.filter((_, at) => this.paths[at] === `POST ${path}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export function spansOf(body: string): WireSpan[] {
  const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: WireSpan[] }[] }[] };
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

export function metricsOf(body: string): WireMetric[] {
  const { resourceMetrics } = JSON.parse(body) as {
    resourceMetrics: { scopeMetrics: { metrics: WireMetric[] }[] }[];
  };
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
}

/** Attributes by their names, without their types. */
export function attributesOf({
  attributes,
}: {
  readonly attributes: readonly WireAttribute[];
}): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
