import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { sha256 } from '../base/digest';
import { Emitter } from '../base/emitter';
import type { McpOpening, OpenMcpServers } from '../core/mcpServers';
import { guardedFetch } from './guardedFetch';
import { JailedTransport } from './jailedTransport';
import type { McpServersOptions } from './mcpServers';
import { redacted, type FilledServer } from './secretWords';
import { ServerConnection } from './serverConnection';

/** Starts servers and waits for none: their tools are there when they are ready. */
export function startServers(
  servers: readonly (readonly [string, FilledServer])[],
  options: McpServersOptions,
  opening: McpOpening,
): OpenMcpServers {
  const changes = new Emitter<void>();
  const connections = servers.map(([name, server]) =>
    connectionOf(name, server, { options, opening, onChange: () => changes.fire() }),
  );
  for (const connection of connections) void connection.start();
  return {
    names: servers.map(([name]) => name),
    tools: () => connections.flatMap(({ tools }) => tools),
    onDidChange: changes.event,
    async close() {
      changes.dispose();
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

interface Starting {
  readonly options: McpServersOptions;
  readonly opening: McpOpening;
  readonly onChange: () => void;
}

function connectionOf(
  name: string,
  { server, secrets }: FilledServer,
  { options: { jails, emptyFolder, privateHosts }, opening, onChange }: Starting,
): ServerConnection {
  const { account, allows, onNotice, onConnection } = opening;
  const common = { name, secrets, allows, onChange, onNotice };
  if (server.type === 'http') {
    const transport = new StreamableHTTPClientTransport(new URL(server.url), {
      requestInit: { headers: server.headers },
      fetch: guardedFetch(privateHosts()),
    });
    return new ServerConnection({ ...common, transport, lastWords: () => '' });
  }
  const transport = new JailedTransport({
    jails,
    emptyFolder,
    account: accountOf(account, name),
    server,
    onConnection,
    redact: (text) => redacted(text, secrets),
  });
  return new ServerConnection({ ...common, transport, lastWords: () => transport.words.trim() });
}

/** Neither the run's own account nor another server's. */
function accountOf(account: string, name: string): string {
  return `mcp-${sha256(`${account} ${name}`).slice(0, 40)}`;
}
