import { join } from 'node:path';
import { z } from 'zod';
import type { Diagnostic } from '../core/diagnostic';
import { mcpServersSchema, namesServer, type McpServer } from '../core/mcp';
import type { Persona } from '../core/persona';
import type { CommittedFiles } from '../core/workspace';
import { readYaml } from '../core/yamlFile';

/** Where a repository says which servers of tools it has, for any agent. Only what is committed counts. */
export const serversFile = '.mcp.json';

/** Other programs have keys of their own in it. */
const fileSchema = z.object({ mcpServers: mcpServersSchema.default({}) });

export interface RepositoryServers {
  readonly servers: Readonly<Record<string, McpServer>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the repository's `.mcp.json`, if there is one. JSON is YAML, so what is wrong is said at its line. */
export function readRepositoryServers({ root, files }: CommittedFiles): RepositoryServers {
  const [found] = files;
  if (!found) return { servers: {}, diagnostics: [] };
  const path = join(root, serversFile);
  if (found.bytes === null) {
    return { servers: {}, diagnostics: [{ path, line: 1, column: 1, severity: 'error', message: found.problem }] };
  }
  const { value, diagnostics } = readYaml(Buffer.from(found.bytes).toString('utf8'), fileSchema, { path });
  return { servers: value?.mcpServers ?? {}, diagnostics };
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
