import { createRequire } from 'node:module';
import type * as nodePty from 'node-pty';
import { messageOf, UserError } from '../base/errors';

export type NodePty = typeof nodePty;

function isNodePty(module: unknown): module is NodePty {
  return typeof module === 'object' && module !== null && 'spawn' in module && typeof module.spawn === 'function';
}

/**
 * Loads node-pty, which is native code, when it is first needed: from `folder` when one is given (VS Code's own copy was
 * built for the very Node it runs on), else the packaged one.
 * @throws {UserError} `pty-unavailable` when neither can be loaded.
 */
export async function loadNodePty(folder: string | undefined): Promise<NodePty> {
  const failures: string[] = [];
  const attempts: (() => Promise<unknown>)[] = [() => import('node-pty')];
  // A folder can be required, but not imported.
  if (folder !== undefined) attempts.unshift(async (): Promise<unknown> => createRequire('/')(folder) as unknown);
  for (const attempt of attempts) {
    try {
      const module = await attempt();
      if (isNodePty(module)) return module;
      failures.push('it is something else than node-pty');
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new UserError(
    'pty-unavailable',
    'node-pty could not be loaded, so nobody can take over a session. Install Airlock again, or run "npm rebuild node-pty".',
    { detail: failures.join('; ').slice(0, 1000) },
  );
}

/** Why node-pty cannot be loaded; `undefined` when it can. */
export async function checkPty(folder?: string): Promise<string | undefined> {
  try {
    await loadNodePty(folder);
    return undefined;
  } catch (error) {
    return error instanceof UserError ? String(error.facts['detail']) : messageOf(error);
  }
}
