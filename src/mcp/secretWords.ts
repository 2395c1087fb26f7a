import { UserError } from '../base/errors';
import type { McpServer } from '../core/mcp';

/** The value of a secret by its name; `undefined` when the user has none of that name. */
export type ReadSecret = (name: string) => Promise<string | undefined>;

const word = /\{\{\s*secret\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;

/** A server with its secrets, and those by name, to be kept out of everything that it says. */
export interface FilledServer {
  readonly server: McpServer;
  readonly secrets: ReadonlyMap<string, string>;
}

/**
 * Puts secrets into the environment or the headers of a server, and nowhere else.
 * @throws {UserError} `mcp-secret-missing`.
 */
export async function withSecrets(name: string, server: McpServer, read: ReadSecret): Promise<FilledServer> {
  const values = server.type === 'http' ? server.headers : server.env;
  const secrets = new Map<string, string>();
  for (const value of Object.values(values))
    for (const [, secret = ''] of value.matchAll(word)) {
      const found = await read(secret);
      if (found === undefined || found === '') throw missing(name, secret);
      secrets.set(secret, found);
    }
  const filled = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      value.replace(word, (_all, secret: string) => secrets.get(secret) ?? ''),
    ]),
  );
  return { server: server.type === 'http' ? { ...server, headers: filled } : { ...server, env: filled }, secrets };
}

function missing(server: string, secret: string): UserError {
  return new UserError(
    'mcp-secret-missing',
    `The MCP server “${server}” needs the secret ${secret}, and there is none of that name.`,
    { server, secret, retryable: false },
  );
}

/** What a server says never has a secret of its own in it. */
export function redacted(text: string, secrets: ReadonlyMap<string, string>): string {
  return [...secrets].reduce((words, [name, value]) => words.replaceAll(value, `(the secret ${name})`), text);
}
