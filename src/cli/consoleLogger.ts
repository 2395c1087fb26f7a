import type { ErrorFacts } from '../base/errors';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import { makeVisible } from '../base/visible';

/** Writes warnings and errors to stderr, and everything when `verbose`. */
export function consoleLogger(verbose: boolean): Logger {
  const write = (level: string, message: string, facts?: ErrorFacts): void => {
    const rest = facts && Object.keys(facts).length > 0 ? ` ${JSON.stringify(facts)}` : '';
    process.stderr.write(`${level}: ${makeVisible(message)}${makeVisible(rest)}\n`);
  };
  return {
    debug: (message, facts) => (verbose ? write('debug', message, facts) : undefined),
    info: (message, facts) => (verbose ? write('info', message, facts) : undefined),
    warn: (message, facts) => write('warning', message, facts),
    error: (message, error, facts) => {
      write('error', error === undefined ? message : `${message}: ${messageOf(error)}`, facts);
      if (verbose && error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
    },
  };
}
