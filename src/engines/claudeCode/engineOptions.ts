import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import type { EngineLimits, ModelCredential } from '../anthropic/engineOptions';

/**
 * How long a process of Claude Code's lives. `perRun`: for all exchanges of a run. `perExchange`: a fresh one takes up the
 * session for each, so that nothing but what is written down goes from one to the next. `prestarted`: as `perRun`, and one waits in
 * each session that is prepared ahead. `shared`: as `perRun`, and what was said in a run is known in the next one that shares its
 * context; the process and its jail are that run's own.
 */
export type ProcessMode = 'perRun' | 'perExchange' | 'prestarted' | 'shared';

export interface ClaudeCodeLimits {
  /** How long nothing may be heard of it while it neither waits for the model nor does a tool. */
  readonly silenceMs: number;
  /** The same while it does a tool. Its own limit for a command is ten minutes. */
  readonly toolSilenceMs: number;
  /** How long it may take to go on by itself after it was resumed. */
  readonly resumeGraceMs: number;
  /** How often it is started again in one exchange. */
  readonly maxRestarts: number;
  /** How long one that is started ahead may take until it is ready. */
  readonly readyMs: number;
}

export const defaultClaudeCodeLimits: ClaudeCodeLimits = {
  silenceMs: 3 * 60_000,
  toolSilenceMs: 20 * 60_000,
  resumeGraceMs: 20_000,
  maxRestarts: 2,
  readyMs: 60_000,
};

export interface ClaudeCodeEngineOptions {
  /** The user's `claude`; `null` to look for it on `searchPath`. */
  readonly path: string | null;
  /** `PATH` of this process. */
  readonly searchPath: string;
  readonly processMode: ProcessMode;
  /** The key or token that is added to requests, outside the jail. */
  readonly credential: ModelCredential;
  /** Where the Messages API is. Default: Anthropic's own. */
  readonly baseUrl?: string;
  readonly defaultModel: string;
  /** As for the Anthropic engine. */
  readonly isFree?: (model: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How patient it is with the model's server. */
  readonly serverLimits?: Partial<EngineLimits>;
  readonly limits?: Partial<ClaudeCodeLimits>;
  /** For the jitter of delays. Default `Math.random`. */
  readonly random?: () => number;
}
