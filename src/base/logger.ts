import type { ErrorFacts } from './errors';

/** Where the product writes what it does. Facts are structured; no secret ever goes in. */
export interface Logger {
  debug(message: string, facts?: ErrorFacts): void;
  info(message: string, facts?: ErrorFacts): void;
  warn(message: string, facts?: ErrorFacts): void;
  error(message: string, error?: unknown, facts?: ErrorFacts): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
