import { z } from 'zod';
import { makeVisible } from '../base/visible';

/** The name that the executor's own tools have at engines that know tools of servers alone. */
export const ownServer = 'airlock';

/** A name that stands in the names of its tools, so that two underscores end it. */
export const mcpServerNameSchema = z
  .string()
  .max(40)
  .regex(/^[A-Za-z0-9-]+(_[A-Za-z0-9-]+)*$/, 'letters, digits, - and single _')
  .refine((name) => name !== ownServer, `“${ownServer}” is Airlock itself`);

const domainSchema = z
  .string()
  .max(255)
  .regex(/^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?$/, 'a domain such as example.org or example.org:8443');
const valueSchema = z.string('it is no text: put it in quotes').max(10_000);

/** A program that speaks the protocol on its standard streams. It runs in a jail of its own, without the workspace. */
const stdioSchema = z.object({
  type: z.literal('stdio').default('stdio'),
  /** A program's name or absolute path in the jail. */
  command: z.string().min(1).max(4096),
  args: z.array(valueSchema).max(100).default([]),
  /** Values may name a secret of the user's: `{{ secret.NAME }}`. */
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and _'), valueSchema)
    .default({}),
  /** Where it may connect to; nowhere when it is empty. */
  network: z.array(domainSchema).max(100).default([]),
});

/** A server on the network, which Airlock asks from the host. */
const httpSchema = z.object({
  type: z.enum(['http', 'streamable-http']).transform(() => 'http' as const),
  url: z.url({ protocol: /^https?$/ }).max(2000),
  /** Values may name a secret of the user's: `{{ secret.NAME }}`. */
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'a name of letters, digits and -'), valueSchema)
    .default({}),
});

export const mcpServerSchema = z.union([httpSchema, stdioSchema], {
  error: 'it is neither a program (`command`) nor a server on the network (`type` http, `url`)',
});
export type McpServer = z.output<typeof mcpServerSchema>;

/** As people write them, in the shape that `.mcp.json` has. */
export const mcpServersSchema = z
  .record(mcpServerNameSchema, mcpServerSchema)
  .refine((servers) => Object.keys(servers).length <= 20, 'more than 20 servers');
export const mcpConfigSchema = z.object({ mcpServers: mcpServersSchema });

/** A server, and who wrote it down. */
export const foundMcpServerSchema = z.object({
  server: mcpServerSchema,
  /** What a repository brings runs only when the user has approved it as it is. */
  from: z.enum(['user', 'repository']),
});
export type FoundMcpServer = z.infer<typeof foundMcpServerSchema>;

/** What a server is, on one line for people: nothing of it is hidden. */
export function describeMcpServer(server: McpServer): string {
  if (server.type === 'http') return makeVisible([server.url, ...named(server.headers)].join(' '));
  const network = server.network.length === 0 ? 'no network' : `network: ${server.network.join(', ')}`;
  return makeVisible(`${[...named(server.env), ...[server.command, ...server.args].map(word)].join(' ')} (${network})`);
}

function named(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${word(value)}`);
}

function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : JSON.stringify(text);
}

const prefix = 'mcp__';

export function isMcpTool(name: string): boolean {
  return name.startsWith(prefix);
}

/** The name by which a model knows a tool of a server. */
export function mcpToolName(server: string, tool: string): string {
  return `${prefix}${server}__${tool}`;
}

/** The server that a name or a pattern is about; `undefined` for one that is about none. */
export function serverOf(name: string): string | undefined {
  return isMcpTool(name) ? name.slice(prefix.length).split('__')[0] : undefined;
}

/** @param patterns `mcp__*` for all, `mcp__server` and `mcp__server__*` for all tools of a server, `mcp__server__tool` for one. */
export function matchesMcp(patterns: readonly string[], name: string): boolean {
  const all = mcpToolName(serverOf(name) ?? '', '*');
  return patterns.some((pattern) => [name, all, all.slice(0, -'__*'.length), `${prefix}*`].includes(pattern));
}

/** Some tool of a server may match. */
export function namesServer(patterns: readonly string[], server: string): boolean {
  return patterns.some((pattern) => pattern === `${prefix}*` || serverOf(pattern) === server);
}
