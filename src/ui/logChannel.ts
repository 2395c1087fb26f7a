import type * as vscode from 'vscode';

import type { Logger } from '../base/logger';
import { type ErrorFacts, messageOf } from '../base/errors';
import { makeVisible } from '../base/visible';

/** The product's log as VS Code's output channel shows it: leveled, and nothing unseen in it. */
export function loggerTo(channel: vscode.LogOutputChannel): Logger {
  const line = (message: string, facts?: ErrorFacts): string => makeVisible(withFacts(message, facts));
  return {
    debug: (message, facts) => channel.debug(line(message, facts)),
    info: (message, facts) => channel.info(line(message, facts)),
    warn: (message, facts) => channel.warn(line(message, facts)),
    error: (message, error, facts) => channel.error(line(message, facts) + describe(error)),
  };
}

function withFacts(message: string, facts: ErrorFacts | undefined): string {
  const known = Object.entries(facts ?? {}).filter(([, value]) => value !== undefined);
  return known.length === 0 ? message : `${message} ${JSON.stringify(Object.fromEntries(known))}`;
}

function describe(error: unknown): string {
  if (error === undefined) return '';
  if (!(error instanceof Error)) return `: ${makeVisible(messageOf(error))}`;
  const cause = error.cause === undefined ? '' : `\n  caused by${describe(error.cause)}`;
  return `: ${makeVisible(error.stack ?? error.message)}${cause}`;
}
