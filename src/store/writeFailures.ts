import type { UserError } from '../base/errors';

/** What is done about a write that the disk did not take. */
export interface WriteFailures {
  /** There was no room for it. @returns whether some was made, so that it may be tried again. */
  makeRoom(): Promise<boolean>;
  /** It failed for another reason. @returns what to refuse it with: nothing is lost, and the storage is looked at again. */
  refuse(cause: unknown): UserError;
}
