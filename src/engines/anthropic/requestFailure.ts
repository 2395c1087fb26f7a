import { z } from 'zod';
import { messageOf, systemCodeOf, UserError } from '../../base/errors';
import { makeVisible } from '../../base/visible';
import { BadAnswerError } from './responseGuard';

/** What became of a request that failed. */
export type RequestFailure =
  /** It may pass. `reason` is a whole sentence for people. */
  | {
      readonly kind: 'transient';
      readonly code: 'model-rate-limited' | 'model-overloaded' | 'model-unreachable';
      readonly reason: string;
      /** No Messages API took the request: nobody is at the address, or somebody else. Waiting for it costs nothing. */
      readonly unreached: boolean;
      /** A server answered with an error before it began to think: it bills nothing. */
      readonly answered: boolean;
      /** So long the server asked to be left alone; `null` when it named nothing. */
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: 'final'; readonly error: UserError };

/** What the SDK's errors carry. Read by shape, so that the SDK need not be loaded to name them. */
const apiErrorSchema = z.object({
  status: z.number().optional().catch(undefined),
  type: z.string().nullish().catch(null),
  apiMessage: z.string().nullish().catch(null),
  headers: z.instanceof(Headers).optional().catch(undefined),
});
type ApiError = z.infer<typeof apiErrorSchema>;

/** An error that comes as an event in a stream has a type instead of a status. */
const statusOfType: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** What servers in the field say when a conversation is larger than the model's window. */
const contextFullWords =
  /prompt is too long|context (window|length|size)|maximum context|exceeds?( the)?( available)? context|too many (input )?tokens/i;

/** What servers in the field say when their model does not look at images. */
const imageWords = /image (input )?is not supported|not support (image|vision|multimodal)|missing mmproj/i;

/** Certificates that are not trusted do not get better by trying again. */
const tlsCode = /^(CERT_|ERR_TLS_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;

/** What the system says when nobody took the connection. */
const unreachedCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What gateways in front of a Messages API say with a page of their own: the key, and passing trouble. */
const answersOfGateways = new Set([401, 402, 403, 413, 429, 500, 502, 503, 504, 529]);

export interface FailureContext {
  readonly model: string;
  /** The address of the server, which holds no secrets. */
  readonly server: string;
  /** Takes the key out of what a server said. */
  readonly redact: (text: string) => string;
  readonly nowMs: number;
}

/** Says what a failed request means: whether another try makes sense, when, and what the user can do. */
export function readFailure(error: unknown, context: FailureContext): RequestFailure {
  if (error instanceof BadAnswerError) {
    return transient('model-unreachable', error.message, { unreached: error.isOfSomebodyElse });
  }
  const api = apiErrorSchema.safeParse(error).data ?? {};
  const status = api.status ?? statusOfType[api.type ?? ''];
  if (status !== undefined) return readStatus(status, api, context);
  return readBrokenConnection(error, context);
}

function readBrokenConnection(error: unknown, context: FailureContext): RequestFailure {
  const causes = causesOf(error);
  const code = causes.map(systemCodeOf).find((found) => found !== undefined);
  if (code !== undefined && tlsCode.test(code)) {
    return final(
      'model-tls-untrusted',
      `The certificate of the model server is not trusted (${code}). Check its address, or give Node its certificate with NODE_EXTRA_CA_CERTS.`,
      { code },
    );
  }
  if (causes.some((cause) => cause instanceof SyntaxError)) {
    return transient('model-unreachable', 'The model server sent broken JSON in the middle of its answer.');
  }
  const detail = code ?? clean(messageOf(causes.at(-1) ?? error), context);
  if (detail === 'bad port') return badPort(context);
  const unreached = code !== undefined && unreachedCodes.has(code);
  const reason = unreached
    ? `The model server at ${context.server} is not reachable (${detail}).`
    : `The connection to the model server at ${context.server} failed (${detail}).`;
  return transient('model-unreachable', reason, { unreached });
}

/** A port that `fetch` refuses to talk to, whoever listens there. */
function badPort({ server }: FailureContext): RequestFailure {
  const message = `No request can be sent to ${server}: its port belongs to another kind of service. Set the address of the model server.`;
  return final('model-url-invalid', message, {});
}

function isWebPage({ headers }: ApiError): boolean {
  return headers?.get('content-type')?.includes('text/html') === true;
}

/** What a server says is a sentence, so that ours can follow it. */
function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function readStatus(status: number, api: ApiError, context: FailureContext): RequestFailure {
  const said = api.apiMessage ? `: ${sentence(clean(api.apiMessage, context))}` : '.';
  if (isWebPage(api) && !answersOfGateways.has(status)) {
    const reason = `The server at ${context.server} answers with a web page (${status}), which no Messages API does. Look at the address.`;
    return transient('model-unreachable', reason, { unreached: true });
  }
  const isFinal = api.headers?.get('x-should-retry') === 'false';
  if (!isFinal && (status === 429 || status === 529)) {
    const code = status === 429 ? 'model-rate-limited' : 'model-overloaded';
    const what = status === 429 ? 'asks to be asked less often' : 'is overloaded';
    return transient(code, `The model server ${what} (${status}).`, {
      afterMs: retryAfterMs(api.headers, context.nowMs),
      answered: true,
    });
  }
  // Local servers call it a failure of theirs.
  if (imageWords.test(said)) return refusal(400, said, context);
  if (!isFinal && (status >= 500 || status === 408 || status === 409 || status === 425)) {
    const reason = `The model server failed (${status})${said}`;
    return transient('model-unreachable', reason, {
      afterMs: retryAfterMs(api.headers, context.nowMs),
      answered: true,
    });
  }
  return refusal(status, said, context);
}

function refusal(status: number, said: string, { model, server }: FailureContext): RequestFailure {
  if (status === 413 || (status < 500 && contextFullWords.test(said))) {
    const contextTokens = contextTokensIn(said);
    return final('context-full', 'The conversation no longer fits into the model’s context window.', {
      status,
      ...(contextTokens === undefined ? {} : { contextTokens }),
    });
  }
  switch (status) {
    case 401:
    case 403:
      return final(
        'model-key-refused',
        `The model server at ${server} refuses the key (${status})${said} Set a valid one (command “Airlock: Set API Key”, or ANTHROPIC_API_KEY).`,
        { status },
      );
    case 402:
      return final('model-unpaid', `The model server asks for payment (402)${said} See to the account’s billing.`, {
        status,
      });
    case 404:
      return final('model-not-found', `The model server knows no model “${model}” at this address (404)${said}`, {
        status,
        model,
      });
  }
  if (status >= 300 && status < 400) {
    const message = `The model server sends us elsewhere (${status}), and a key is not sent after that. Set the address where it really is.`;
    return final('model-request-refused', message, { status });
  }
  return final('model-request-refused', `The model server refuses the request (${status})${said}`, { status });
}

/** Where servers in the field name the size of the window, when they refuse a prompt. */
const contextTokensWords = [
  /> (\d{3,8})( maximum)?/,
  /maximum context length (?:is|of) (\d{3,8})/i,
  /n_ctx\D{0,5}(\d{3,8})/i,
  /context (?:length|size|window)[^\d.]{0,30}(\d{3,8})/i,
];

function contextTokensIn(said: string): number | undefined {
  const words = said.replaceAll(/(?<=\d),(?=\d{3})/g, '');
  const found = contextTokensWords.map((pattern) => pattern.exec(words)?.[1]).find((digits) => digits !== undefined);
  return found === undefined ? undefined : Number(found);
}

/** Seconds, milliseconds or a date, as servers write it; `null` when it is absent, past or nonsense. */
function retryAfterMs(headers: Headers | undefined, nowMs: number): number | null {
  const milliseconds = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (milliseconds > 0) return milliseconds;
  const value = headers?.get('retry-after') ?? '';
  const delayMs = /^\s*[\d.]+\s*$/.test(value) ? Number.parseFloat(value) * 1000 : Date.parse(value) - nowMs;
  return delayMs > 0 && Number.isFinite(delayMs) ? delayMs : null;
}

function transient(
  code: Extract<RequestFailure, { kind: 'transient' }>['code'],
  reason: string,
  {
    afterMs = null,
    unreached = false,
    answered = false,
  }: { readonly afterMs?: number | null; readonly unreached?: boolean; readonly answered?: boolean } = {},
): RequestFailure {
  return { kind: 'transient', code, reason, unreached, answered, retryAfterMs: afterMs };
}

function final(code: string, message: string, facts: Record<string, string | number>): RequestFailure {
  // No cause is kept: it holds what the server said, in which the key could stand.
  return { kind: 'final', error: new UserError(code, message, { ...facts, retryable: false }) };
}

/** What a server said, safe to show: on one line, short, nothing unseen, and without the key. */
function clean(text: string, { redact }: FailureContext): string {
  const line = makeVisible(redact(text).replace(/\s+/g, ' ')).trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  // A chain of causes can be a ring.
  for (let cause: unknown = error; cause instanceof Error && causes.length < 8; cause = cause.cause) causes.push(cause);
  return causes;
}
