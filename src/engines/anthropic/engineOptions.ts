import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/logger';

/**
 * How the engine proves who pays. `apiKey` is a key of the Anthropic console or of a compatible server; `authToken`
 * is sent as a Bearer token and in no other way. It is read anew for each
 * conversation, and `undefined` means that there is none.
 */
export interface ModelCredential {
  readonly kind: 'apiKey' | 'authToken';
  read(): Promise<string | undefined>;
}

export interface EngineLimits {
  /** Requests for one turn that a server took, the first one included. */
  readonly maxAttempts: number;
  /** How long it is tried to reach a server that is not there, before the task fails. */
  readonly maxUnreachedMs: number;
  /** The first delay of the backoff may be up to this; it doubles each time. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** The longest that a server's `retry-after` is obeyed. */
  readonly maxRetryAfterMs: number;
  /** From the request to the first byte of the answer. A local model reads its whole prompt in this time. */
  readonly firstByteMs: number;
  /** From one piece of the answer to the next. Anthropic sends a ping every few seconds. */
  readonly idleMs: number;
  /** The whole answer on the wire. */
  readonly maxResponseBytes: number;
  /** How often an answer that was cut at the token limit is gone on with. */
  readonly maxContinuations: number;
}

export const defaultEngineLimits: EngineLimits = {
  maxAttempts: 10,
  maxUnreachedMs: 30 * 60_000,
  firstDelayMs: 1000,
  maxDelayMs: 60_000,
  maxRetryAfterMs: 5 * 60_000,
  // Node's fetch gives up at 300 s by itself.
  firstByteMs: 290_000,
  idleMs: 120_000,
  maxResponseBytes: 64 * 1024 ** 2,
  maxContinuations: 2,
};

export interface AnthropicEngineOptions {
  readonly credential: ModelCredential;
  /** Where the Messages API is, with or without `/v1`. Default: Anthropic's own. */
  readonly baseUrl?: string;
  readonly defaultModel: string;
  /** What the engine is called in events. Default `anthropic`. */
  readonly kind?: string;
  /** `auto`: on for Anthropic's own server, off for others, which may refuse what they do not know. */
  readonly promptCaching?: 'auto' | 'on' | 'off';
  /** Tokens of the model's context window. Absent or `null`: as it is known of the model, or as the server says when it is full. */
  readonly contextTokens?: number | null;
  /** What a model answers there costs nothing: it is asked whether it calls tools before it is worked with. Absent: none does. */
  readonly isFree?: (model: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<EngineLimits>;
  /** For the jitter of delays. Default `Math.random`. */
  readonly random?: () => number;
}
