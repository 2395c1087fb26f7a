import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { z } from 'zod';
import {
  beginEventStream,
  errorBody,
  eventsOf,
  type Reply,
  type ReplyUsage,
  type WireEvent,
  writeError,
  writeEvent,
} from '../../src/engines/scripted/wire';
import { complaintOf } from './messagesApiRules';

const contentSchema = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]);
const bodySchema = z.looseObject({
  model: z.string(),
  max_tokens: z.number(),
  stream: z.boolean(),
  system: z.unknown().optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  messages: z.array(z.object({ role: z.string(), content: contentSchema })),
});
export type MessagesBody = z.infer<typeof bodySchema>;

/** One request that the fake got. */
export interface SeenRequest {
  readonly index: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: MessagesBody;
  /** `answered`: the whole reply was sent. `cut`: the client went away first. `faulted`: the script made it fail. */
  outcome: 'pending' | 'answered' | 'cut' | 'faulted';
  /** Nothing more will come, and the connection stays open. */
  isStalled: boolean;
}

/** What the fake does with one request. */
export type FakeTurn =
  | { readonly kind: 'reply'; readonly reply: Partial<Reply> }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Another Messages API answers; this one only stands before it. */
  | { readonly kind: 'forward'; readonly to: string; readonly token: string }
  /** The connection is reset before any header. */
  | { readonly kind: 'reset' }
  /** Only so many events of the reply are sent, and then that happens. */
  | {
      readonly kind: 'broken';
      readonly reply: Partial<Reply>;
      readonly afterEvents: number;
      readonly then:
        | { readonly kind: 'reset' }
        /** The answer ends in order, but too early. */
        | { readonly kind: 'end' }
        /** Nothing more comes, and the connection stays open. */
        | { readonly kind: 'stall' }
        | { readonly kind: 'errorEvent'; readonly type: string; readonly message: string }
        /** Written as it is, and the reply goes on after it. */
        | { readonly kind: 'raw'; readonly text: string };
    };

export type FakeScript = readonly FakeTurn[] | ((request: SeenRequest) => FakeTurn | Promise<FakeTurn>);

/** A Messages API on loopback that speaks the real wire and does what a test says. */
export interface FakeMessagesApi {
  readonly baseUrl: string;
  readonly requests: readonly SeenRequest[];
  /** Resolves as soon as there were so many requests. */
  requested(count: number): Promise<void>;
  /** Resolves when no request is pending. */
  settled(): Promise<void>;
  /** Requests whose conversation had been answered in full before: each is a turn that was paid for twice. */
  paidTwice(): readonly SeenRequest[];
  close(): Promise<void>;
}

export async function startFakeMessagesApi(script: FakeScript): Promise<FakeMessagesApi> {
  const api = new FakeServer(script);
  await api.listen();
  return api;
}

class FakeServer implements FakeMessagesApi {
  readonly requests: SeenRequest[] = [];
  baseUrl = '';
  private readonly server: Server;
  private readonly watchers = new Set<() => void>();

  constructor(private readonly script: FakeScript) {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else writeError(response, 400, errorBody('invalid_request_error', `the fake: ${String(error)}`));
      });
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => {
        const address = this.server.address();
        if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
        this.baseUrl = `http://127.0.0.1:${address.port}`;
        resolve();
      });
    });
  }

  requested(count: number): Promise<void> {
    return this.until(() => this.requests.length >= count);
  }

  settled(): Promise<void> {
    return this.until(() => this.requests.every((request) => request.outcome !== 'pending'));
  }

  paidTwice(): readonly SeenRequest[] {
    const answered = new Set<string>();
    return this.requests.filter((request) => {
      const key = JSON.stringify([request.body.model, withoutCacheMarks(request.body.messages)]);
      const again = answered.has(key);
      if (request.outcome === 'answered') answered.add(key);
      return again;
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  private changed(): void {
    for (const look of [...this.watchers]) look();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = bodySchema.parse(JSON.parse(await textOf(request)));
    const index = this.requests.length;
    const entry: SeenRequest = {
      index,
      path: request.url ?? '',
      headers: request.headers,
      body,
      outcome: 'pending',
      isStalled: false,
    };
    this.requests.push(entry);
    response.on('close', () => {
      if (entry.outcome === 'pending') entry.outcome = 'cut';
      this.changed();
    });
    this.changed();
    const complaint = complaintOf(body);
    if (complaint !== undefined) {
      entry.outcome = 'faulted';
      writeError(response, 400, errorBody('invalid_request_error', complaint));
      return;
    }
    const turn = typeof this.script === 'function' ? await this.script(entry) : this.script[entry.index];
    if (turn === undefined) throw new Error(`there is no turn for request ${entry.index}`);
    if (turn.kind === 'forward') await forward(turn, entry, response);
    else play(turn, entry, response);
  }
}

async function forward(
  { to, token }: Extract<FakeTurn, { kind: 'forward' }>,
  seen: SeenRequest,
  response: ServerResponse,
): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await fetch(to + seen.path, { method: 'POST', headers, body: JSON.stringify(seen.body) });
  const text = await answer.text();
  if (response.destroyed) return;
  seen.outcome = answer.ok ? 'answered' : 'faulted';
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
  response.end(text);
}

function play(turn: Exclude<FakeTurn, { kind: 'forward' }>, seen: SeenRequest, response: ServerResponse): void {
  // The client is gone already: what is written now reaches nobody.
  if (response.destroyed) return;
  switch (turn.kind) {
    case 'reply':
      beginEventStream(response, { 'request-id': `req_${seen.index}` });
      for (const event of eventsOf(completed(turn.reply, seen))) writeEvent(response, event);
      seen.outcome = 'answered';
      response.end();
      return;
    case 'status':
      seen.outcome = 'faulted';
      response.writeHead(turn.status, { 'content-type': 'application/json', ...turn.headers });
      response.end(typeof turn.body === 'string' ? turn.body : JSON.stringify(turn.body));
      return;
    case 'reset':
      seen.outcome = 'faulted';
      response.socket?.resetAndDestroy();
      return;
    case 'broken':
      playBroken(turn, seen, response);
  }
}

function playBroken(
  { reply, afterEvents, then }: Extract<FakeTurn, { kind: 'broken' }>,
  seen: SeenRequest,
  response: ServerResponse,
): void {
  const events = eventsOf(completed(reply, seen));
  const send = (some: readonly WireEvent[]): void => some.forEach((event) => writeEvent(response, event));
  beginEventStream(response, { 'request-id': `req_${seen.index}` });
  send(events.slice(0, afterEvents));
  // A stalled request stays pending until the client gives up on it.
  if (then.kind !== 'stall') seen.outcome = 'faulted';
  switch (then.kind) {
    case 'reset':
      // What was written so far is on its way before the connection breaks.
      response.write('', () => setImmediate(() => response.socket?.resetAndDestroy()));
      return;
    case 'end':
      response.end();
      return;
    case 'stall':
      response.flushHeaders();
      seen.isStalled = true;
      return;
    case 'errorEvent':
      response.write(`event: error\ndata: ${JSON.stringify(errorBody(then.type, then.message))}\n\n`);
      response.end();
      return;
    case 'raw':
      response.write(then.text);
      send(events.slice(afterEvents));
      response.end();
  }
}

/** What costs something in a fake reply unless a test says otherwise. */
export const fakeUsage: ReplyUsage = {
  input_tokens: 100,
  output_tokens: 20,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
};

function completed(reply: Partial<Reply>, seen: SeenRequest): Reply {
  const content = reply.content ?? [];
  return {
    id: `msg_${seen.index}`,
    model: seen.body.model,
    stopReason: content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn',
    usage: fakeUsage,
    ...reply,
    content,
  };
}

function withoutCacheMarks(messages: MessagesBody['messages']): unknown {
  return JSON.parse(JSON.stringify(messages, (key, value: unknown) => (key === 'cache_control' ? undefined : value)));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
