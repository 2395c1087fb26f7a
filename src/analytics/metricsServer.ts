import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../base/errors';
import type { Executor } from '../core/executor';
import type { Metrics } from './metrics';

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

const loopback = '127.0.0.1';

/**
 * Serves the metrics of an executor at `/metrics` on loopback, for Prometheus. They tell counts and names of models, ZMemory
 * servers and outcomes alone, and of other sources their kind, so that there is no token; a web page gets nothing all the same.
 * @param port 0 for any that is free.
 * @throws {UserError} `port-in-use`.
 */
export async function serveMetrics(
  executor: Pick<Executor, 'state' | 'onDidAppend'>,
  port: number,
): Promise<MetricsServer> {
  // Loaded when it is asked for: few workers are watched.
  const { Metrics: Registered } = await import('./metrics');
  const metrics: Metrics = new Registered(() => executor.state);
  const server = createServer((request, response) => {
    answer(metrics, request, response, (server.address() as AddressInfo).port).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = `Port ${port} is in use by another program. Choose another one for --metrics-port.`;
      reject(cause.code === 'EADDRINUSE' ? new UserError('port-in-use', taken, { port }) : cause);
    });
    server.listen(port, loopback, resolve);
  });
  const following = executor.onDidAppend((events) => metrics.follow(events));
  return {
    url: `http://${loopback}:${(server.address() as AddressInfo).port}/metrics`,
    async close() {
      following.dispose();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  metrics: Metrics,
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
): Promise<void> {
  // A name that was rebound to loopback shows in `Host`, and a web page has an `Origin`.
  const isOurs = [`${loopback}:${port}`, `localhost:${port}`].includes(request.headers.host?.toLowerCase() ?? '');
  if (!isOurs || request.headers.origin !== undefined)
    return end(response, 403, 'This is for programs on this machine.\n');
  if (request.method !== 'GET' || request.url !== '/metrics') return end(response, 404, 'There is /metrics alone.\n');
  const text = await metrics.text();
  response.writeHead(200, { 'content-type': metrics.contentType });
  response.end(text);
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}
