import assert from 'node:assert/strict';
import path from 'node:path';
import type { McpServer } from '../../src/core/mcp';
import type { OpenMcpServers } from '../../src/core/mcpServers';
import type { ToolContext } from '../../src/core/tool';
import { createMcpServers } from '../../src/mcp/mcpServers';
import { mcpScript } from '../fakes/mcpServer';
import { type JailRoom, openJailRoom } from './jailRoom';

const context = { signal: new AbortController().signal } as ToolContext;

describe('MCP servers in jails of their own', function () {
  this.timeout(60_000);
  let room: JailRoom;
  let open: OpenMcpServers | undefined;
  const notices: string[] = [];
  before(async () => (room = await openJailRoom()));
  afterEach(() => open?.close());
  after(() => room.close());

  async function opened(changes: Partial<Extract<McpServer, { type: 'stdio' }>>): Promise<OpenMcpServers> {
    notices.length = 0;
    const servers = createMcpServers({
      jails: room.jails,
      emptyFolder: path.join(room.root, 'empty'),
      secret: () => Promise.resolve('very-secret'),
      approved: () => [],
      privateHosts: () => [],
    });
    const server: McpServer = {
      type: 'stdio',
      command: 'node',
      args: ['-e', mcpScript],
      env: {},
      network: [],
      ...changes,
    };
    open = await servers.open({
      account: 'run-test',
      servers: { near: { server, from: 'user' } },
      allows: () => true,
      onNotice: (text) => notices.push(text),
      onConnection: () => {},
    });
    while (notices.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    return open;
  }

  async function seen(changes: Partial<Extract<McpServer, { type: 'stdio' }>>): Promise<Record<string, unknown>> {
    const look = (await opened(changes)).tools().find(({ definition }) => definition.name === 'mcp__near__look');
    return JSON.parse((await look?.run({}, context))?.text ?? '{}') as Record<string, unknown>;
  }

  it('see neither the workspace nor other processes nor a network, and have their tools', async () => {
    const { home: _home, uid: _uid, ...sight } = await seen({});
    assert.deepEqual(sight, { workspace: [], token: null, proxy: false, processes: true });
    assert.deepEqual(notices, ['MCP server near: ready, with 2 tools.']);
  });

  it('have the secrets and the network that they declare', async () => {
    const { token, proxy } = await seen({ env: { TOKEN: '{{secret.T}}' }, network: ['example.org'] });
    assert.deepEqual([token, proxy], ['(the secret T)', true]);
  });

  it('that do not start are said with their last words, and nothing waits for them', async () => {
    const servers = await opened({ command: 'sh', args: ['-c', 'echo no such token >&2; exit 3'] });
    assert.match(notices[0] ?? '', /^MCP server near: it cannot be used: .*no such token/);
    assert.deepEqual(servers.tools(), []);
  });
});
