import { once } from 'node:events';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { beginEventStream, errorBody, writeError, writeEvent } from '../scripted/wire';
import { wireEvents, wireMessage } from './answerWire';
import type { RelayAnswer, RelayHeaders } from './modelRelay';

/** A Messages API takes 32 MB; no conversation of text comes near. */
const maxBodyBytes = 32 * 1024 ** 2;
const maxConnections = 32;
const maxHeaderBytes = 32 * 1024;
/** From the first byte of a request to its last: it comes from this very machine. */
const requestMs = 60_000;
const patienceMs = 15_000;

/** A Messages API on a Unix socket, for one jail. */
export interface ApiSocket {
  close(): Promise<void>;
}

export interface ApiSocketOptions {
  /** A folder of the host that the jail sees; made when it is missing. */
  readonly folder: string;
  readonly answer: (json: string, headers: RelayHeaders) => Promise<RelayAnswer>;
}

const streamSchema = z.object({ stream: z.literal(true) });

export const apiSocketName = 'api.sock';

/**
 * Listens in the folder. Only `POST /v1/messages` is there, everything else is not found: no other address of the API can
 * be reached from the jail.
 */
export async function openApiSocket(options: ApiSocketOptions): Promise<ApiSocket> {
  const path = join(options.folder, apiSocketName);
  await mkdir(options.folder, { recursive: true });
  await rm(path, { force: true });
  const server = createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: requestMs, headersTimeout: requestMs });
  server.maxConnections = maxConnections;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response, options).catch(() => response.destroy());
  });
  server.unref().listen(path);
  await once(server, 'listening');
  // The account of the jail is another user; nobody else gets into the folders above.
  await Promise.all([chmod(options.folder, 0o755), chmod(path, 0o666)]);
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, options: ApiSocketOptions): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://airlock.invalid');
  if (request.method !== 'POST' || url.pathname !== '/v1/messages') {
    request.resume();
    return writeError(response, 404, errorBody('not_found_error', 'Airlock lets only /v1/messages through.'));
  }
  const json = await bodyOf(request);
  if (json === undefined) {
    return writeError(response, 413, errorBody('request_too_large', 'Airlock: the request is too large.'), {
      connection: 'close',
    });
  }
  const betas = request.headers['anthropic-beta'];
  const streamed = isStreamed(json);
  // An answer that takes long shows that it lives: no connection is given up for being silent.
  const signs = setInterval(() => streamed && showLife(response), patienceMs);
  try {
    send(response, await options.answer(json, { betas: typeof betas === 'string' ? betas : '' }), streamed);
  } finally {
    clearInterval(signs);
  }
}

function showLife(response: ServerResponse): void {
  if (response.destroyed) return;
  if (!response.headersSent) beginEventStream(response);
  writeEvent(response, { event: 'ping', data: { type: 'ping' } });
}

function send(response: ServerResponse, answer: RelayAnswer, streamed: boolean): void {
  if (response.headersSent) return sendEvents(response, answer);
  if (answer.kind === 'error') {
    // It is not to try again by itself: whether another try makes sense was decided outside.
    return writeError(response, answer.status, errorBody(answer.type, answer.message), { 'x-should-retry': 'false' });
  }
  if (!streamed) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(wireMessage(answer.message)));
    return;
  }
  beginEventStream(response);
  sendEvents(response, answer);
}

function sendEvents(response: ServerResponse, answer: RelayAnswer): void {
  const events =
    answer.kind === 'message'
      ? wireEvents(answer.message)
      : [{ event: 'error', data: errorBody(answer.type, answer.message) }];
  for (const event of events) writeEvent(response, event);
  response.end();
}

/** It only chooses between two ways to write the same answer; the body as a whole is looked at elsewhere. */
function isStreamed(json: string): boolean {
  try {
    return streamSchema.safeParse(JSON.parse(json)).success;
  } catch {
    return false;
  }
}

/** @returns `undefined` when it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBodyBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
