import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../base/clock';
import { UserError } from '../../../base/errors';
import type { Logger } from '../../../base/logger';
import type { EmbeddedZMemory } from './embeddedZMemory';
import { EventStreams } from './eventStream';
import { HttpError } from './httpError';
import { guardRequest, requireToken } from './requestGuard';
import { answerCall, type RouteAnswer } from './routes';

/** A client that sends its request drop by drop holds a connection for no longer than this. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const keepAliveMs = 60_000;
const maxConnections = 256;

export interface HttpServerOptions {
  readonly tasks: EmbeddedZMemory;
  readonly port: number;
  readonly token: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Serves the tasks on loopback, to programs that know the token. */
export class ZMemoryHttpServer {
  private readonly server: Server;
  private readonly streams: EventStreams;

  private constructor(private readonly options: HttpServerOptions) {
    this.streams = new EventStreams(options.tasks, options.clock);
    this.server = createServer(
      { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs },
      (request, response) => {
        void this.handle(request, response);
      },
    );
    this.server.keepAliveTimeout = keepAliveMs;
    this.server.maxConnections = maxConnections;
  }

  /** @throws {UserError} `port-in-use`. */
  static async listen(options: HttpServerOptions): Promise<ZMemoryHttpServer> {
    const serving = new ZMemoryHttpServer(options);
    await new Promise<void>((resolve, reject) => {
      serving.server.once('error', (cause: NodeJS.ErrnoException) => {
        serving.streams.dispose();
        reject(
          cause.code === 'EADDRINUSE'
            ? new UserError('port-in-use', `Port ${options.port} is in use by another program. Choose another one.`, {
                port: options.port,
              })
            : cause,
        );
      });
      serving.server.listen(options.port, '127.0.0.1', resolve);
    });
    return serving;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.streams.dispose();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      // The path alone is taken from the request: what stands before it is the client's claim.
      const url = new URL(`http://localhost${request.url?.startsWith('/') ? request.url : '/'}`);
      guardRequest(request, this.port);
      if (request.method === 'GET' && url.pathname === '/health') return this.health(response);
      requireToken(request, this.options.token);
      if (request.method === 'GET' && url.pathname === '/tasks/events') return this.streams.serve(response);
      send(response, await answerCall(request, url, this.options.tasks));
    } catch (error) {
      this.sendError(request, response, error);
    }
  }

  private health(response: ServerResponse): void {
    const timestamp = new Date(this.options.clock.nowMs()).toISOString();
    send(response, { status: 200, body: { status: 'ok', timestamp } });
  }

  private sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    // What is left of a refused body is thrown away, so that the answer is not lost in a reset of the connection.
    request.resume();
    if (error instanceof HttpError) {
      if (error.status === 401) response.setHeader('www-authenticate', 'Bearer');
      send(response, { status: error.status, body: { success: false, error: error.message } });
      return;
    }
    this.options.logger.error('A call to the embedded ZMemory failed', error, { path: request.url?.split('?')[0] });
    const words = error instanceof UserError ? error.message : 'Something went wrong here; the log says what.';
    const status = error instanceof UserError && error.code === 'disk-full' ? 507 : 500;
    send(response, { status, body: { success: false, error: words } });
  }
}

function send(response: ServerResponse, { status, body, tag }: RouteAnswer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 304 ? {} : { 'content-length': Buffer.byteLength(text) }),
    ...(tag === undefined ? {} : { etag: tag }),
  });
  response.end(text);
}
