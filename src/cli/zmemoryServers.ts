import type { SourceChoice } from '../assemble';
import { UserError } from '../base/errors';
import { serverKey } from '../base/serverAddress';

const pollMs = 30_000;

/**
 * The servers of `--zmemory [NAME=]URL`; the embedded one when there is none. The token of a server with a name is in
 * `ZMEMORY_TOKEN_<NAME>`: none is ever sent to another server than its own, so names that have one variable are one name.
 * @throws {UserError} `source-name-invalid`.
 */
export function zmemoryServers(
  given: readonly string[],
  { agent, artifacts }: { readonly agent: string; readonly artifacts: boolean },
  environment: NodeJS.ProcessEnv,
): readonly SourceChoice[] {
  if (given.length === 0) return [{ kind: 'embedded', agent }];
  const variables = new Set<string>();
  const servers = new Set<string>();
  return given.map((text) => {
    const [, named, url = text] = /^([^=:/]*)=(.*)$/s.exec(text) ?? [];
    const name = named ?? 'zmemory';
    if (!/^\w[\w-]{0,39}$/.test(name))
      throw invalid(`“${name}” cannot be a server's name; it may have letters, digits, - and _.`);
    const variable = tokenVariable(name);
    if (variables.has(variable))
      throw invalid(
        named === undefined
          ? 'Give each server a name of its own when there are several: --zmemory shop=https://…'
          : `Two servers are called “${name}”, or have the same token variable: ${variable}.`,
      );
    variables.add(variable);
    const server = serverKey(url);
    if (servers.has(server))
      throw invalid(`“${name}” is the same server as another one: its tasks would be done twice.`);
    servers.add(server);
    const token = environment[named === undefined ? 'ZMEMORY_TOKEN' : variable] || undefined;
    const taken = artifacts ? {} : { artifacts: [] };
    return { kind: 'server', name, url, token: () => Promise.resolve(token), agent, pollMs, ...taken };
  });
}

/** `ZMEMORY_TOKEN_SHOP_2` for `shop-2`. */
function tokenVariable(name: string): string {
  return `ZMEMORY_TOKEN_${name.toUpperCase().replaceAll('-', '_')}`;
}

function invalid(message: string): UserError {
  return new UserError('source-name-invalid', message);
}
