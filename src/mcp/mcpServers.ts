import { mkdir } from 'node:fs/promises';
import { UserError } from '../base/errors';
import type { Jails } from '../core/jail';
import { describeMcpServer, type FoundMcpServer } from '../core/mcp';
import type { McpServers } from '../core/mcpServers';
import { mcpDigest } from './mcpDigest';
import { type FilledServer, type ReadSecret, withSecrets } from './secretWords';

export interface McpServersOptions {
  readonly jails: Jails;
  /** A folder of the host that is made here and stays empty: what jails have in the place of a workspace. */
  readonly emptyFolder: string;
  readonly secret: ReadSecret;
  /** Digests of servers of repositories that the user has approved; asked anew each time. */
  readonly approved: () => readonly string[];
  /** Hosts of this machine and of private networks that servers may be at: `host` or `host:port`. */
  readonly privateHosts: () => readonly string[];
}

/** Servers of tools. The protocol's own package is loaded with the first of them. */
export function createMcpServers(options: McpServersOptions): McpServers {
  return {
    async open(opening) {
      const servers = Object.entries(opening.servers);
      for (const [name, found] of servers) throwUnlessApproved(name, found, options.approved());
      const filled: (readonly [string, FilledServer])[] = [];
      for (const [name, { server }] of servers) filled.push([name, await withSecrets(name, server, options.secret)]);
      await mkdir(options.emptyFolder, { recursive: true, mode: 0o755 });
      const { startServers } = await import('./startServers');
      return startServers(filled, options, opening);
    },
  };
}

/** Characters. The digest covers all of it; who can only be shown a part is not offered to approve it with a click. */
const maxShown = 4000;

function throwUnlessApproved(name: string, { server, from }: FoundMcpServer, approved: readonly string[]): void {
  const digest = mcpDigest(name, server);
  if (from === 'user' || approved.includes(digest)) return;
  const whole = describeMcpServer(server);
  const isShown = whole.length <= maxShown;
  const shown = isShown ? whole : `${whole.slice(0, maxShown)} … and ${whole.length - maxShown} more characters`;
  throw new UserError(
    'mcp-unapproved',
    `The repository brings the MCP server “${name}”, which runs only when you approve it as it is: ${digest} stands for ${shown}`,
    { server: name, retryable: false, ...(isShown ? { digest } : {}) },
  );
}
