import { join } from 'node:path';
import { z } from 'zod';
import type { Diagnostic } from '../core/diagnostic';
import { meantIssues } from '../core/meantIssues';
import { mcpServersSchema, namesServer, type McpServer } from '../core/mcp';
import type { Persona } from '../core/persona';
import type { CommittedFiles } from '../core/workspace';
import { readYaml } from '../core/yamlFile';

/** Where a repository says which servers of tools it has, for any agent. Only what is committed counts. */
export const serversFile = '.mcp.json';

/** Other programs have keys of their own in it, and servers of kinds that are not known here. */
const fileSchema = z.object({ mcpServers: z.record(z.string(), z.unknown()).default({}) });
const maxServers = 20;

/** As Claude Code writes a value that comes from its environment: `${NAME}`, or `${NAME:-what else}`. */
const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
const hasVariable = (text: string): boolean => text.search(variable) >= 0;

export interface RepositoryServers {
  readonly servers: Readonly<Record<string, McpServer>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the repository's `.mcp.json`, if there is one. What is wrong is said at its line. */
export function readRepositoryServers({ root, files }: CommittedFiles): RepositoryServers {
  const [found] = files;
  if (!found) return { servers: {}, diagnostics: [] };
  const path = join(root, serversFile);
  if (found.bytes === null) {
    return { servers: {}, diagnostics: [{ path, line: 1, column: 1, severity: 'error', message: found.problem }] };
  }
  const { value, diagnostics, place } = readYaml(Buffer.from(found.bytes).toString('utf8'), fileSchema, {
    path,
    isJson: true,
  });
  const entries = Object.entries(value?.mcpServers ?? {});
  const servers: Record<string, McpServer> = {};
  const wrong = [...diagnostics];
  for (const [index, [name, entry]] of entries.entries()) {
    const read =
      index < maxServers ? readServer(name, entry) : { keys: [], problem: `more than ${maxServers} servers` };
    if ('server' in read) servers[name] = read.server;
    else {
      const keys = [name, ...read.keys];
      const at = place(['mcpServers', ...keys]);
      wrong.push({ path, ...at, severity: 'error', message: `mcpServers.${keys.join('.')}: ${read.problem}.` });
    }
  }
  return { servers, diagnostics: wrong };
}

type ReadServer = { readonly server: McpServer } | { readonly keys: readonly PropertyKey[]; readonly problem: string };

/** One that is wrong keeps nobody from the others. */
function readServer(name: string, entry: unknown): ReadServer {
  const { data, error } = mcpServersSchema.safeParse({ [name]: entry }, { reportInput: true });
  const [issue] = meantIssues(error?.issues ?? []);
  if (issue) return { keys: issue.path.slice(1), problem: issue.message };
  const server = data?.[name];
  if (!server) return { keys: [], problem: 'it cannot be read' };
  if (server.type === 'http') {
    if (hasVariable(server.url)) return { keys: ['url'], problem: onlyInValues };
    return { server: { ...server, headers: filled(server.headers) } };
  }
  if ([server.command, ...server.args].some(hasVariable)) return { keys: [], problem: onlyInValues };
  return { server: { ...server, env: filled(server.env) } };
}

const onlyInValues = 'Variables are filled in in `env` and `headers` alone, from the secrets of their names';

/** A variable of the user's environment is none of a repository's business: it is a secret that the user has given under its name. */
function filled(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      value.replace(variable, (_all, name: string, otherwise?: string) => otherwise ?? `{{ secret.${name} }}`),
    ]),
  );
}

/**
 * The persona with those of the repository's servers that its list of tools names and that it does not bring itself. They are the
 * repository's, so each runs only when the user has approved it as it is; one that no list names is not even asked about.
 */
export function withRepositoryServers(persona: Persona, { servers }: RepositoryServers): Persona {
  const named = Object.entries(servers).filter(
    ([name]) => !Object.hasOwn(persona.mcpServers, name) && namesServer(persona.mcpTools, name),
  );
  if (named.length === 0) return persona;
  const lent = named.map(([name, server]) => [name, { server, from: 'repository' as const }] as const);
  return { ...persona, mcpServers: { ...persona.mcpServers, ...Object.fromEntries(lent) } };
}
