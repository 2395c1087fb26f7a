/** Facts that go with an error, for the log and for the words that `ui/` and `cli/` find for it. Never secrets. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Thrown when something is wrong that the user can understand and act on. `code` is stable; `message` says what is
 * wrong and what to do, in English; `ui/` and `cli/` may word it differently by its code and facts.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';

  constructor(
    readonly code: string,
    message: string,
    readonly facts: ErrorFacts = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Thrown when work stops because somebody asked for it. It is never shown as a failure. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';

  constructor(message = 'Cancelled', options?: { cause?: unknown }) {
    super(message, options);
  }
}

/**
 * True for a `UserError`, also for one of another bundle: the extension and the rooms are built apart, so that the class is
 * there twice in one process and `instanceof` would not see it.
 */
export function isUserError(error: unknown): error is UserError {
  return error instanceof Error && error.name === 'UserError' && 'code' in error && 'facts' in error;
}

/** True for our own cancellation, of whichever bundle, and for what an aborted `AbortSignal` makes platform calls throw. */
export function isCancellation(error: unknown): boolean {
  return error instanceof Error && (error.name === 'CancelledError' || error.name === 'AbortError');
}

/** The words of any thrown value, on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`, …), if it is one. */
export function systemCodeOf(error: unknown): string | undefined {
  if (error instanceof UserError) return undefined;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** Closes an exhaustive `switch`: the compiler complains when a case is missing, and so does this. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
