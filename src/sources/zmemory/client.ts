import type { Clock } from '../../base/clock';
import { sha256 } from '../../base/digest';
import type { Disposable } from '../../base/disposable';
import { UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { isOnThisMachine } from '../../base/thisMachine';
import { SourceUnreachableError } from '../../core/source';
import { errorFor, parseAnswer, wordsOf } from './answers';
import type { ChangeAnswer, ChangeOptions, OpenedEvents, PendingAnswer, ZMemoryApi } from './api';
import { parseBaseUrl, pathUnder, urlOf } from './baseUrl';
import { HttpExchange, type HttpAnswer, type HttpLimits, type HttpRequest } from './httpExchange';
import {
  changeAnswerSchema,
  taskListSchema,
  taskStateSchema,
  type ArtifactBody,
  type CompleteBody,
  type FailBody,
  type StatusBody,
  type WireTaskState,
} from './wire';

/** A server that takes longer is as good as down; a report is sent again later. */
const defaultTimeoutMs = 30_000;
const defaultMaxAnswerBytes = 64 * 1024 * 1024;
const maxRedirects = 3;
type Headers = HttpRequest['headers'];

/** No longer on offer, unknown, or not in a state for it. */
const refusals = new Set([400, 404, 409, 410, 422]);
/** A tag that we made ourselves, for servers that give no `ETag`. */
const ownTag = 'sha256:';

export interface ZMemoryClientOptions {
  /** `http://` or `https://`, a path prefix allowed. */
  readonly url: string;
  /**
   * Sent as `Authorization: Bearer`; `null` for a server that wants none. A function is asked anew for every request, so
   * that a token which the user sets later counts from then on.
   */
  readonly token: string | null | (() => Promise<string | undefined>);
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<HttpLimits>;
  /** Asked beside the agent when looking for tasks, for servers that filter by something of their own. Absent: nothing. */
  readonly query?: Readonly<Record<string, string>>;
}

interface Exchanged {
  readonly request: HttpRequest;
  readonly answer: HttpAnswer;
  /** The one that was sent, to keep it out of every message. */
  readonly token: string | null;
}

/** ZMemory over HTTP. The token goes to the configured origin alone, and into no error and no log. */
export class ZMemoryClient implements ZMemoryApi, Disposable {
  private readonly base: URL;
  private readonly exchange: HttpExchange;
  private warned = false;

  /** @throws {UserError} `source-url-invalid`, `source-key-malformed`. */
  constructor(private readonly options: ZMemoryClientOptions) {
    this.base = parseBaseUrl(options.url);
    if (typeof options.token === 'string') checkToken(options.token);
    this.exchange = new HttpExchange(options.clock, {
      timeoutMs: options.limits?.timeoutMs ?? defaultTimeoutMs,
      maxAnswerBytes: options.limits?.maxAnswerBytes ?? defaultMaxAnswerBytes,
    });
  }

  async pending(agent: string, knownTag: string | null): Promise<PendingAnswer> {
    const asked: Headers = knownTag !== null && !knownTag.startsWith(ownTag) ? { 'if-none-match': knownTag } : {};
    const { request, answer, token } = await this.send(
      'GET',
      `/tasks/pending?${queryText({ ...this.options.query, agent })}`,
      undefined,
      asked,
    );
    if (answer.status === 304 && knownTag !== null) return { kind: 'unchanged' };
    this.expectSuccess(request, answer, token);
    const tag = answer.headers.etag ?? ownTag + sha256(answer.body);
    if (tag === knownTag) return { kind: 'unchanged' };
    return { kind: 'tasks', entries: parseAnswer(taskListSchema, request, answer).tasks, tag };
  }

  accept(id: string, agent: string): Promise<ChangeAnswer> {
    return this.change('POST', `/tasks/${encodeURIComponent(id)}/accept`, { agent });
  }

  setStatus(id: string, body: StatusBody): Promise<ChangeAnswer> {
    return this.change('PATCH', `/tasks/${encodeURIComponent(id)}/status`, body);
  }

  complete(id: string, body: CompleteBody, options?: ChangeOptions): Promise<ChangeAnswer> {
    return this.change('POST', `/tasks/${encodeURIComponent(id)}/complete`, body, options);
  }

  fail(id: string, body: FailBody, options?: ChangeOptions): Promise<ChangeAnswer> {
    return this.change('POST', `/tasks/${encodeURIComponent(id)}/fail`, body, options);
  }

  addArtifact(id: string, body: ArtifactBody, options?: ChangeOptions): Promise<ChangeAnswer> {
    return this.change('POST', `/tasks/${encodeURIComponent(id)}/artifacts`, body, options);
  }

  async stateOf(id: string): Promise<WireTaskState | undefined> {
    const { request, answer, token } = await this.send('GET', '/tasks');
    // A server that lists no tasks cannot tell; that is no failure of the call that wanted to know.
    if (answer.status === 404 || answer.status === 405) return undefined;
    this.expectSuccess(request, answer, token);
    for (const entry of parseAnswer(taskListSchema, request, answer).tasks) {
      const state = taskStateSchema.safeParse(entry);
      if (state.success && state.data.id === id) return state.data;
    }
    return undefined;
  }

  async openEvents(): Promise<OpenedEvents> {
    const token = await this.readToken();
    const request = this.requestFor('GET', '/tasks/events', token, { accept: 'text/event-stream' });
    const answer = await this.exchange.stream(request);
    const isStream = /^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '');
    if (answer.statusCode === 200 && isStream) return { kind: 'open', stream: answer };
    answer.destroy();
    const head = { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.alloc(0) };
    const error = head.status === 200 ? undefined : errorFor(request, head, this.options.clock, '');
    if (error instanceof SourceUnreachableError) throw error;
    return { kind: 'unoffered' };
  }

  dispose(): void {
    this.exchange.dispose();
  }

  private async change(
    method: 'POST' | 'PATCH',
    path: string,
    body: unknown,
    { idempotencyKey }: ChangeOptions = {},
  ): Promise<ChangeAnswer> {
    const headers: Headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    const { request, answer, token } = await this.send(method, path, body, headers);
    if (refusals.has(answer.status)) return refused(wordsOf(answer, token) || `it answers ${answer.status}`);
    this.expectSuccess(request, answer, token);
    if (answer.body.length === 0) return { kind: 'done' };
    const { success, task } = parseAnswer(changeAnswerSchema, request, answer);
    if (success === false) return refused(wordsOf(answer, token) || 'it says so');
    return { kind: 'done', ...(task ? { task } : {}) };
  }

  private async send(
    method: HttpRequest['method'],
    path: string,
    body?: unknown,
    headers: Headers = {},
  ): Promise<Exchanged> {
    const token = await this.readToken();
    const type: Headers = body === undefined ? {} : { 'content-type': 'application/json' };
    let request: HttpRequest = {
      ...this.requestFor(method, path, token, { accept: 'application/json', ...type, ...headers }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.exchange.send(request);
      const target = redirects < maxRedirects ? followable(request, answer) : undefined;
      if (!target) return { request, answer, token };
      request = { ...request, url: target };
    }
  }

  private requestFor(method: HttpRequest['method'], path: string, token: string | null, headers: Headers): HttpRequest {
    return {
      method,
      url: new URL(pathUnder(this.base, path), this.base.origin),
      headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    };
  }

  private async readToken(): Promise<string | null> {
    const { token } = this.options;
    const read = typeof token === 'function' ? ((await token()) ?? null) : token;
    if (read === null) return null;
    checkToken(read);
    this.warnOnce();
    return read;
  }

  private warnOnce(): void {
    if (this.warned || this.base.protocol === 'https:' || isOnThisMachine(this.base.href)) return;
    this.warned = true;
    this.options.logger.warn('The ZMemory token goes over the network unencrypted', { origin: this.base.origin });
  }

  private expectSuccess(request: HttpRequest, answer: HttpAnswer, token: string | null): void {
    if (answer.status >= 200 && answer.status < 300) return;
    throw errorFor(request, answer, this.options.clock, wordsOf(answer, token));
  }
}

function queryText(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join('&');
}

function refused(reason: string): ChangeAnswer {
  return { kind: 'refused', reason };
}

/** Where a redirect leads, if the same request may be made there: the same origin, and nothing turned into a GET. */
function followable(request: HttpRequest, answer: HttpAnswer): URL | undefined {
  const keepsMethod = answer.status === 307 || answer.status === 308;
  const movesGet = (answer.status === 301 || answer.status === 302) && request.method === 'GET';
  if (!keepsMethod && !movesGet) return undefined;
  const target = urlOf(answer.headers.location ?? '', request.url);
  return target?.origin === request.url.origin ? target : undefined;
}

function checkToken(token: string): void {
  if (/^[\x21-\x7e]+$/.test(token)) return;
  throw new UserError('source-key-malformed', 'The ZMemory token has blanks or characters that no token has.', {
    retryable: true,
  });
}
