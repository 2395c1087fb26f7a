import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Clock, sleep, systemClock } from '../../base/clock';
import { messageOf } from '../../base/errors';
import { newId } from '../../base/ids';
import { scenarioSchema, type ParsedScenario, type Scenario, type ScriptedTurn } from './scenario';
import { nextTurn, scriptedPrefix, scriptedRequestSchema } from './scriptPlayer';
import { beginEventStream, errorBody, eventsOf, type Reply, writeError, writeEvent } from './wire';

/** The name that the script gives itself in every answer. */
export const scriptedModelName = 'airlock-scripted';

export interface ScriptedModelOptions {
  readonly scenarios: readonly Scenario[];
  /** How long it waits before each answer, so that people can follow. Default 0. */
  readonly turnDelayMs?: number;
  readonly clock?: Clock;
}

export interface ScriptedModel {
  /** `http://127.0.0.1:<port>`, as an engine's base URL. */
  readonly baseUrl: string;
  /** The bearer token; it is new at each start. */
  readonly token: string;
  close(): Promise<void>;
}

/** More than any conversation of a script can come to. */
const maxBodyBytes = 64 * 1024 ** 2;

/**
 * Starts a Messages API on loopback that plays scripts. It is no AI and says so in each answer; it is there so that
 * everything around a model can be seen working without a key. A task that no script knows is answered with just that.
 * @throws {ZodError} when a scenario is malformed.
 */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  const model = new ScriptedServer(
    options.scenarios.map((scenario) => scenarioSchema.parse(scenario)),
    options.turnDelayMs ?? 0,
    options.clock ?? systemClock,
  );
  const port = await model.listen();
  return { baseUrl: `http://127.0.0.1:${port}`, token: model.token, close: () => model.close() };
}

class ScriptedServer {
  readonly token = randomBytes(32).toString('base64url');
  private readonly server: Server;
  private readonly stopping = new AbortController();
  private host = '';

  constructor(
    private readonly scenarios: readonly ParsedScenario[],
    private readonly turnDelayMs: number,
    private readonly clock: Clock,
  ) {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        // The client has gone away or the server is closing: nobody is left to be told.
        response.destroy(error instanceof Error ? error : new Error(messageOf(error)));
      });
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => {
        const address = this.server.address();
        if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
        this.host = `127.0.0.1:${address.port}`;
        resolve(address.port);
      });
    });
  }

  close(): Promise<void> {
    this.stopping.abort();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A web page can make a browser post here, but neither with this host name nor with the token.
    if (request.headers.host !== this.host || !this.isAuthorized(request)) {
      return writeError(response, 401, errorBody('authentication_error', 'the token of this start is needed'));
    }
    if (request.method !== 'POST' || request.url?.split('?')[0] !== '/v1/messages') {
      return writeError(response, 404, errorBody('not_found_error', 'only POST /v1/messages is served'));
    }
    const body = await readBody(request);
    if (body === undefined)
      return writeError(response, 413, errorBody('request_too_large', 'the request is too large'));
    const parsed = scriptedRequestSchema.safeParse(parseJson(body));
    if (!parsed.success) {
      return writeError(
        response,
        400,
        errorBody('invalid_request_error', parsed.error.issues[0]?.message ?? 'no JSON'),
      );
    }
    const turn = nextTurn(this.scenarios, parsed.data);
    if (this.turnDelayMs > 0) await sleep(this.clock, this.turnDelayMs, this.stopping.signal);
    beginEventStream(response);
    for (const event of eventsOf(replyOf(turn, body.length))) writeEvent(response, event);
    response.end();
  }

  private isAuthorized({ headers }: IncomingMessage): boolean {
    const given = headers.authorization?.replace(/^Bearer /, '') ?? '';
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(given), digest(this.token));
  }
}

function replyOf(turn: ScriptedTurn, requestBytes: number): Reply {
  const calls = turn.calls.map(({ tool, input }) => ({ name: tool, inputJson: JSON.stringify(input) }));
  const text = scriptedPrefix + turn.say;
  const answerLength = calls.reduce((sum, call) => sum + call.inputJson.length, text.length);
  return {
    id: newId('msg'),
    model: scriptedModelName,
    content: [
      { type: 'text', text },
      ...calls.map((call) => ({ type: 'tool_use' as const, id: newId('toolu'), ...call })),
    ],
    stopReason: calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: {
      input_tokens: roughTokens(requestBytes),
      output_tokens: roughTokens(answerLength),
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    },
  };
}

/** A script has no tokens. Four characters each is the usual rule of thumb, and makes the figures the right size. */
function roughTokens(length: number): number {
  return Math.ceil(length / 4);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
