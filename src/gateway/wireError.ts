import { CancelledError, isCancellation, messageOf, UserError, assertNever, type ErrorFacts } from '../base/errors';
import type { WireError } from '../protocol/executorProtocol';

/** An error, made ready to cross. */
export function toWireError(error: unknown): WireError {
  if (error instanceof UserError) {
    return { kind: 'user', code: error.code, message: error.message, facts: definedFacts(error.facts) };
  }
  return { kind: isCancellation(error) ? 'cancelled' : 'internal', message: messageOf(error) };
}

/** The error that crossed, as it is thrown on this side. */
export function fromWireError(error: WireError): Error {
  switch (error.kind) {
    case 'user':
      return new UserError(error.code, error.message, error.facts);
    case 'cancelled':
      return new CancelledError(error.message);
    case 'internal':
      return new Error(error.message);
    default:
      return assertNever(error);
  }
}

function definedFacts(facts: ErrorFacts): Record<string, string | number | boolean | null> {
  const defined: Record<string, string | number | boolean | null> = {};
  for (const [key, value] of Object.entries(facts)) if (value !== undefined) defined[key] = value;
  return defined;
}
