import {
  createServer,
  request as sendRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { EmbeddedServer } from '../../src/sources/zmemory/embeddedServer';

/** How a backend can be unwell. */
export type BackendFault =
  /** Every connection is broken at once. */
  | { readonly kind: 'down' }
  | { readonly kind: 'status'; readonly status: number; readonly body: string; readonly type: string }
  /** It takes the request and never answers. */
  | { readonly kind: 'silent' }
  /** It does what it is asked, and the answer is lost. */
  | { readonly kind: 'answerLost' }
  /** Its answer comes, and comes again on the same connection, where the next one is waited for. */
  | { readonly kind: 'twice' };

export interface SeenCall {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** Stands before a real ZMemory server and makes it look unwell where a test says so. */
export class WholeBackend {
  readonly calls: SeenCall[] = [];
  /** What becomes of a call; `undefined`: it is passed on. */
  fault: (call: SeenCall) => BackendFault | undefined = () => undefined;
  url = '';
  private readonly server: Server;
  private readonly watchers = new Set<() => void>();

  private constructor(private readonly real: Pick<EmbeddedServer, 'url'>) {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
  }

  static async before(real: Pick<EmbeddedServer, 'url'>): Promise<WholeBackend> {
    const backend = new WholeBackend(real);
    await new Promise<void>((resolve) => backend.server.listen(0, '127.0.0.1', resolve));
    const address = backend.server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    backend.url = `http://127.0.0.1:${address.port}`;
    return backend;
  }

  /** Resolves when a call that `fits` has been made, from now on or before. */
  called(fits: (call: SeenCall) => boolean, count = 1): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.calls.filter(fits).length < count) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const call = { method: request.method ?? '', path: request.url ?? '', body: body.toString('utf8') };
    this.calls.push(call);
    const fault = this.fault(call);
    for (const look of [...this.watchers]) look();
    switch (fault?.kind) {
      case 'down':
        request.socket.resetAndDestroy();
        return;
      case 'silent':
        return;
      case 'status':
        response.writeHead(fault.status, { 'content-type': fault.type });
        response.end(fault.body);
        return;
      case 'answerLost':
      case 'twice':
      case undefined:
        this.pass(request, body, response, fault?.kind);
    }
  }

  private pass(
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    fault: 'answerLost' | 'twice' | undefined,
  ): void {
    const target = new URL(request.url ?? '/', this.real.url);
    const passed = sendRequest(target, { method: request.method, headers: { ...request.headers, host: target.host } });
    passed.on('error', () => response.destroy());
    passed.on('response', (answer) => {
      if (fault === 'answerLost') {
        answer.resume();
        answer.on('end', () => request.socket.resetAndDestroy());
        return;
      }
      if (fault === 'twice') {
        void answerTwice(answer, request.socket);
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.end(body);
  }
}

async function answerTwice(answer: IncomingMessage, socket: Socket): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const head = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const whole = Buffer.concat([Buffer.from(head), body]);
  socket.write(whole);
  socket.write(whole);
}
