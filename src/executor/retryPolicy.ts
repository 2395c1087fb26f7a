import { systemCodeOf, UserError } from '../base/errors';
import { type Digest, digestSchema } from '../core/ids';
import { SourceUnreachableError } from '../core/source';

/**
 * What to do with an error.
 * - `retry`: it may pass; try again after a while. `wait`: only the user can mend it, and nothing of the task is at fault.
 * - `pause`: nothing more can be kept; the whole queue waits until it can. `fail`: trying again would not help.
 */
export type ErrorTreatment = 'retry' | 'wait' | 'pause' | 'fail';

/** By the codes of `UserError`. A code that is not here fails, unless its facts say that it is `retryable`. */
const treatments: Readonly<Record<string, ErrorTreatment>> = {
  'model-key-missing': 'wait',
  'model-key-refused': 'wait',
  'model-url-invalid': 'wait',
  'model-without-tools': 'wait',
  'engine-unavailable': 'wait',
  'price-unknown': 'wait',
  'runaway-loop': 'wait',
  'no-progress': 'wait',
  'change-too-dear': 'wait',
  // The user lands them, and then it can start from one commit.
  'several-bases': 'wait',
  'jail-unavailable': 'wait',
  'jail-not-proven': 'wait',
  'setup-network': 'wait',
  'claude-code-missing': 'wait',
  'claude-code-unusable': 'wait',
  'claude-code-too-old': 'wait',
  'question-open': 'wait',
  'approval-open': 'wait',
  'mcp-unapproved': 'wait',
  'mcp-secret-missing': 'wait',
  // Its jail died or used too much: the run goes on in another one, and the model is told.
  'session-closed': 'retry',
  'disk-full': 'pause',
  'journal-failed': 'pause',
  'storage-unwritable': 'pause',
};

export function treatmentOf(error: unknown): ErrorTreatment {
  if (error instanceof UserError)
    return treatments[error.code] ?? (error.facts['retryable'] === true ? 'retry' : 'fail');
  if (error instanceof SourceUnreachableError) return 'retry';
  const code = systemCodeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'pause';
  // What nobody foresaw may be a passing fault of the machine; the number of tries is bounded.
  return 'retry';
}

/** What of the repository's the user has to approve before it goes on. */
export function unapprovedServer(error: unknown): { readonly mcpServer?: Digest } {
  if (!(error instanceof UserError) || error.code !== 'mcp-unapproved') return {};
  const { data } = digestSchema.safeParse(error.facts['digest']);
  return data === undefined ? {} : { mcpServer: data };
}
