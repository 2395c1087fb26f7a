import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { normalizedHost } from './allowlist';
import { type DestinationContext, EgressRefused, openDestination } from './destination';
import { ServerNameCheck } from './serverNameCheck';

export interface EgressLimits {
  /** Connections of the jail at the same time; further ones are closed at once. */
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** A connection on which nothing moved for so long is closed. */
  readonly idleMs: number;
}

export const defaultEgressLimits: EgressLimits = {
  maxConnections: 128,
  maxHeaderBytes: 16 * 1024,
  idleMs: 5 * 60_000,
};

/** The proxy of one jail: the one way out of it, on a Unix socket in a folder of its own. */
export interface EgressProxy {
  /** Holds the socket alone, under `socketName`. To be mounted into the jail. */
  readonly folder: string;
  /** Ends every connection. */
  close(): Promise<void>;
}

export const socketName = 'proxy';

/** Headers that are about one connection, not about the request. `host` is set from the address that was asked for. */
const hopHeaders = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Serves CONNECT and plain HTTP on a socket in `folder`, which is there and empty.
 * @throws {Error} when it cannot listen there.
 */
export async function startEgressProxy(
  folder: string,
  context: DestinationContext,
  limits: EgressLimits = defaultEgressLimits,
): Promise<EgressProxy> {
  const open = new Set<Duplex>();
  const keep = <T extends Duplex>(socket: T): T => {
    open.add(socket);
    socket.once('close', () => open.delete(socket)).on('error', () => socket.destroy());
    return socket;
  };
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.idleMs,
    requestTimeout: 0,
  });
  server.maxConnections = limits.maxConnections;
  server.setTimeout(limits.idleMs, (socket) => socket.destroy());
  server.on('connection', keep);
  server.on('connect', (asked: IncomingMessage, client: Duplex, head: Buffer) => {
    void tunnel(asked, { client, head }, { context, limits, keep });
  });
  server.on('request', (asked: IncomingMessage, answer: ServerResponse) => {
    void forward(asked, answer, { context, limits, keep });
  });
  const path = join(folder, socketName);
  server.unref().listen(path);
  await once(server, 'listening');
  // The account of the jail is another user; nobody else gets into the folder above.
  await Promise.all([chmod(folder, 0o755), chmod(path, 0o666)]);
  return {
    folder,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

interface Serving {
  readonly context: DestinationContext;
  readonly limits: EgressLimits;
  readonly keep: <T extends Duplex>(socket: T) => T;
}

async function tunnel(
  asked: IncomingMessage,
  { client, head }: { readonly client: Duplex; readonly head: Buffer },
  { context, limits, keep }: Serving,
): Promise<void> {
  const [, named = '', port = ''] = /^([^:]*):(\d{1,5})$/.exec(asked.url ?? '') ?? [];
  const host = named === '' ? (asked.url ?? '') : named;
  let destination: Duplex;
  try {
    const socket = keep(await openDestination(host, Number(port), context));
    destination = socket.setTimeout(limits.idleMs, () => socket.destroy());
  } catch (error) {
    const refused = asRefused(error);
    const head = `HTTP/1.1 ${refused.status} ${reasonPhrase(refused)}\r\ncontent-type: text/plain\r\nconnection: close`;
    client.end(`${head}\r\n\r\n${refusalText(refused)}\n`);
    return;
  }
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  const check = new ServerNameCheck(normalizedHost(host) ?? '');
  if (head.length > 0) check.write(head);
  const ends = await Promise.allSettled([pipeline(client, check, destination), pipeline(destination, client)]);
  const [refused] = ends.flatMap((end) =>
    end.status === 'rejected' && end.reason instanceof EgressRefused ? [end.reason] : [],
  );
  if (refused) context.onConnection({ host, port: Number(port), kind: 'refused', reason: refused.message });
}

async function forward(asked: IncomingMessage, answer: ServerResponse, serving: Serving): Promise<void> {
  const { context, limits, keep } = serving;
  try {
    const url = absoluteUrl(asked.url);
    const port = Number(url.port || 80);
    const destination = keep(await openDestination(url.hostname, port, context));
    destination.setTimeout(limits.idleMs, () => destination.destroy());
    const outgoing = request({
      createConnection: () => destination,
      method: asked.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...endToEnd(asked.headers), host: url.host, connection: 'close' },
      maxHeaderSize: limits.maxHeaderBytes,
    });
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    const sent = pipeline(asked, outgoing).catch(() => {});
    const [reply] = await answered;
    answer.writeHead(reply.statusCode ?? 502, endToEnd(reply.headers));
    await pipeline(reply, answer);
    await sent;
  } catch (error) {
    const refused = asRefused(error);
    if (answer.headersSent) answer.destroy();
    else
      answer
        .writeHead(refused.status, reasonPhrase(refused), { 'content-type': 'text/plain', connection: 'close' })
        .end(`${refusalText(refused)}\n`);
  }
}

function absoluteUrl(text: string | undefined): URL {
  if (text?.startsWith('http://') && URL.canParse(text)) return new URL(text);
  throw new EgressRefused(403, 'this is a proxy: it takes CONNECT, and absolute http:// addresses');
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopHeaders.has(name) && !named.has(name)));
}

function refusalText({ message }: EgressRefused): string {
  return `Airlock: ${message}`;
}

/** Many programs show nothing of an answer to CONNECT but this. */
function reasonPhrase(refused: EgressRefused): string {
  return refusalText(refused).replace(/[^\x20-\x7e]/g, '?');
}

function asRefused(error: unknown): EgressRefused {
  return error instanceof EgressRefused ? error : new EgressRefused(502, 'the connection broke');
}
