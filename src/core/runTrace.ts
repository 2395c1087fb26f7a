/** The trace of a run: its id is made of the run's own, so that it is the same in every process, log line and span. */
import { sha256 } from '../base/digest';
import type { ErrorFacts } from '../base/errors';
import type { Logger } from '../base/logger';
import type { RunId } from './ids';

/** 32 hexadecimal digits, as W3C Trace Context has them. */
export function traceIdOf(runId: RunId): string {
  return sha256(`airlock trace ${runId}`).slice(0, 32);
}

/** 16 hexadecimal digits, of what is named by `parts` within a run. */
export function spanIdOf(runId: RunId, ...parts: readonly (string | number)[]): string {
  return sha256(JSON.stringify(['airlock span', runId, ...parts])).slice(0, 16);
}

/** Adds to each line about a run the id of its trace, as `traceId`. */
export function tracedLogger(logger: Logger): Logger {
  const traced = (facts: ErrorFacts | undefined): ErrorFacts | undefined => {
    const runId = facts?.['runId'];
    return typeof runId === 'string' ? { ...facts, traceId: traceIdOf(runId) } : facts;
  };
  return {
    debug: (message, facts) => logger.debug(message, traced(facts)),
    info: (message, facts) => logger.info(message, traced(facts)),
    warn: (message, facts) => logger.warn(message, traced(facts)),
    error: (message, error, facts) => logger.error(message, error, traced(facts)),
  };
}
