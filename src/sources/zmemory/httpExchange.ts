import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../../base/clock';
import { type Disposable, toDisposable } from '../../base/disposable';
import { CancelledError, messageOf, systemCodeOf, UserError } from '../../base/errors';
import { SourceUnreachableError } from '../../core/source';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpLimits {
  /** From the first byte sent to the last one received. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

const keepAliveMs = 30_000;

/**
 * Sends single requests and reads their whole answers. GETs share kept connections, so that looking often costs little;
 * what changes something gets a connection of its own, because a kept one may die under it and leave its fate unknown.
 */
export class HttpExchange implements Disposable {
  private readonly plain = new http.Agent({ keepAlive: true, maxSockets: 4, maxFreeSockets: 1 });
  private readonly secure = new https.Agent({ keepAlive: true, maxSockets: 4, maxFreeSockets: 1 });
  private readonly underway = new Set<http.ClientRequest>();
  private disposed = false;

  constructor(
    private readonly clock: Clock,
    private readonly limits: HttpLimits,
  ) {}

  /**
   * @throws {SourceUnreachableError} when no whole answer came in time.
   * @throws {UserError} `source-answer-too-large`.
   * @throws {CancelledError} when this is disposed of.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.sendOnce(request);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      // The server closed a kept connection just as it was used again: nothing was heard, and a GET can be repeated.
      return await this.sendOnce(request);
    }
  }

  /**
   * Sends a GET and answers when the head of its answer is there. The body is the caller's to read and to destroy, and has no
   * limits; it ends with this too.
   * @throws as `send` does, but for the size.
   */
  stream(request: HttpRequest): Promise<http.IncomingMessage> {
    if (this.disposed) return Promise.reject(new CancelledError());
    return new Promise((resolve, reject) => {
      // A connection of its own: it is never free again.
      const sent = this.open(request, false);
      this.underway.add(sent);
      const deadline = this.deadline(request, sent);
      sent.on('close', () => {
        deadline.dispose();
        this.underway.delete(sent);
      });
      sent.on('error', (error) => reject(explain(error, request, sent)));
      sent.on('response', (answer) => {
        deadline.dispose();
        // A connection that dies without a word is noticed.
        answer.socket.setKeepAlive(true, keepAliveMs);
        resolve(answer);
      });
      sent.end();
    });
  }

  dispose(): void {
    this.disposed = true;
    for (const request of this.underway) request.destroy(new CancelledError());
    this.plain.destroy();
    this.secure.destroy();
  }

  private sendOnce(request: HttpRequest): Promise<HttpAnswer> {
    if (this.disposed) return Promise.reject(new CancelledError());
    return new Promise((resolve, reject) => {
      const sent = this.open(request);
      this.underway.add(sent);
      const deadline = this.deadline(request, sent);
      const over = toDisposable(() => {
        deadline.dispose();
        this.underway.delete(sent);
      });
      const fail = (error: unknown): void => {
        over.dispose();
        reject(explain(error, request, sent));
      };
      sent.on('error', fail);
      sent.on('response', (answer) => {
        this.readAll(answer, request, sent).then((body) => {
          over.dispose();
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
        }, fail);
      });
      sent.end(request.body);
    });
  }

  private deadline(request: HttpRequest, sent: http.ClientRequest): Disposable {
    const { timeoutMs } = this.limits;
    return this.clock.setTimer(timeoutMs, () =>
      sent.destroy(new SourceUnreachableError(`${placeOf(request)} did not answer in ${timeoutMs} ms.`)),
    );
  }

  private open({ method, url, headers, body }: HttpRequest, mayShare: boolean = method === 'GET'): http.ClientRequest {
    const secure = url.protocol === 'https:';
    const shared = secure ? this.secure : this.plain;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    return (secure ? https : http).request(url, {
      method,
      headers: { ...headers, ...length },
      agent: mayShare ? shared : false,
    });
  }

  private readAll(answer: http.IncomingMessage, request: HttpRequest, sent: http.ClientRequest): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > this.limits.maxAnswerBytes) sent.destroy(tooLarge(request, this.limits.maxAnswerBytes));
      });
      answer.on('error', reject);
      answer.on('end', () => resolve(Buffer.concat(chunks)));
      answer.on('close', () => {
        if (!answer.complete) reject(new SourceUnreachableError(`The answer of ${placeOf(request)} broke off.`));
      });
    });
  }
}

/** Thrown when a kept connection was closed by the server before anything of the answer came. */
class StaleConnection extends Error {}

function explain(error: unknown, request: HttpRequest, sent: http.ClientRequest): Error {
  if (error instanceof SourceUnreachableError || error instanceof UserError || error instanceof CancelledError)
    return error;
  const code = systemCodeOf(error);
  if (sent.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) return new StaleConnection();
  return new SourceUnreachableError(`${placeOf(request)} cannot be reached: ${code ?? messageOf(error)}.`, null, {
    cause: error,
  });
}

function tooLarge(request: HttpRequest, maxBytes: number): UserError {
  return new UserError(
    'source-answer-too-large',
    `The answer to ${request.method} ${request.url.pathname} at ${request.url.origin} is larger than ${maxBytes} bytes. ` +
      'Remove what makes it so large at the server.',
    { maxBytes },
  );
}

/** Where a request went, without its query and without anything secret. */
export function placeOf(request: Pick<HttpRequest, 'url'>): string {
  return `ZMemory at ${request.url.origin}${request.url.pathname}`;
}
