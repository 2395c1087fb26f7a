import * as l10n from '@vscode/l10n';
import { isCancellation, isUserError, messageOf } from '../../base/errors';
import { oneLine } from '../markdownText';
import type { CommandId } from './commandTable';

/** What the user is told of an error, and what is offered. */
export type ErrorWords =
  | { readonly kind: 'silent' }
  /** Something that the user can act on: the message says what to do, and a button may do it. */
  | { readonly kind: 'advice'; readonly message: string; readonly button: ErrorButton | null }
  /** A fault of ours: it is logged, and the log is offered. */
  | { readonly kind: 'fault'; readonly message: string; readonly button: ErrorButton };

export interface ErrorButton {
  readonly title: string;
  readonly command: CommandId;
}

export function wordError(error: unknown): ErrorWords {
  if (isCancellation(error) || isCancellationOfVSCode(error)) return { kind: 'silent' };
  if (isUserError(error)) {
    return { kind: 'advice', message: oneLine(error.message, 1000), button: buttonFor(error.code) };
  }
  return {
    kind: 'fault',
    message: l10n.t('Airlock: something went wrong: {0}', oneLine(messageOf(error), 300)),
    button: showLog(),
  };
}

/** What VS Code's own calls reject with when the user gives up or the window closes. */
function isCancellationOfVSCode(error: unknown): boolean {
  return error instanceof Error && error.name === 'Canceled';
}

function showLog(): ErrorButton {
  return { title: l10n.t('Show Log'), command: 'airlock.showLog' };
}

/** The command that mends it, for errors that one of ours can mend. */
function buttonFor(code: string): ErrorButton | null {
  switch (code) {
    case 'model-key-missing':
    case 'model-key-refused':
      return { title: l10n.t('Set API Key…'), command: 'airlock.setApiKey' };
    case 'model-without-tools':
    case 'model-not-found':
      return { title: l10n.t('Choose Model…'), command: 'airlock.chooseModel' };
    case 'source-key-refused':
    case 'source-key-malformed':
      return { title: l10n.t('Set ZMemory Token…'), command: 'airlock.setZMemoryToken' };
    case 'mcp-secret-missing':
      return { title: l10n.t('Set Secret for MCP Servers…'), command: 'airlock.setMcpSecret' };
    case 'source-url-invalid':
    case 'engine-unavailable':
    case 'claude-code-missing':
    case 'claude-code-unusable':
    case 'claude-code-too-old':
    case 'budget-spent':
    case 'mcp-unapproved':
      return { title: l10n.t('Open Settings'), command: 'airlock.openSettings' };
    case 'untrusted':
      return { title: l10n.t('Manage Trust'), command: 'airlock.manageTrust' };
    case 'executor-unavailable':
    case 'journal-damaged':
      return showLog();
    default:
      return null;
  }
}
