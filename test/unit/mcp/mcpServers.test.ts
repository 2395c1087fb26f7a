import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import type { UserError } from '../../../src/base/errors';
import type { Jails } from '../../../src/core/jail';
import { describeMcpServer, mcpServersSchema, type FoundMcpServer } from '../../../src/core/mcp';
import type { OpenMcpServers } from '../../../src/core/mcpServers';
import type { ToolContext } from '../../../src/core/tool';
import { mcpDigest } from '../../../src/mcp/mcpDigest';
import { createMcpServers, type McpServersOptions } from '../../../src/mcp/mcpServers';
import { maxResultCharacters } from '../../../src/mcp/toolText';
import { type FakeMcpServer, startFakeMcpServer } from '../../fakes/mcpServer';

const noJails: Partial<Jails> = {};

describe('MCP servers over HTTP', () => {
  let server: FakeMcpServer;
  let open: OpenMcpServers | undefined;
  const notices: string[] = [];
  beforeEach(async () => (server = await startFakeMcpServer()));
  afterEach(async () => {
    await open?.close();
    open = undefined;
    notices.length = 0;
    await server.close();
  });

  async function opened(
    found: Partial<FoundMcpServer> & { url?: string; headers?: Record<string, string> },
    options: Partial<McpServersOptions> = {},
    allows: (name: string) => boolean = () => true,
  ): Promise<OpenMcpServers> {
    const { url = server.url, headers = {}, from = 'user' } = found;
    const servers = createMcpServers({
      jails: noJails as Jails,
      emptyFolder: tmpdir(),
      secret: (name) => Promise.resolve(name === 'KEY' ? 'very-secret' : undefined),
      approved: () => [],
      privateHosts: () => [new URL(server.url).host],
      ...options,
    });
    open = await servers.open({
      account: 'run-test',
      servers: { far: { server: { type: 'http', url, headers }, from } },
      allows,
      onNotice: (text) => notices.push(text),
      onConnection: () => {},
    });
    return open;
  }

  function changed({ onDidChange }: OpenMcpServers): Promise<void> {
    return new Promise((resolve) => onDidChange(() => resolve()));
  }

  async function noticed(): Promise<string> {
    while (notices.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return notices.join();
  }

  const context = { signal: new AbortController().signal } as ToolContext;

  it('are there when they are ready, with the tools that may be used', async () => {
    const servers = await opened({}, {}, (name) => name !== 'mcp__far__look');
    assert.deepEqual(servers.tools(), []);
    await changed(servers);
    const [echo, ...others] = servers.tools();
    assert.deepEqual([echo?.definition.name, echo?.definition.readOnly, others], ['mcp__far__echo', false, []]);
    assert.deepEqual(await echo?.run({ text: 'Hello' }, context), { ok: true, text: 'Hello' });
  });

  it('get the secrets that their headers name, and what they say has none of them', async () => {
    const servers = await opened({ headers: { Authorization: 'Bearer {{ secret.KEY }}' } });
    await changed(servers);
    const look = servers.tools().find(({ definition }) => definition.name === 'mcp__far__look');
    assert.deepEqual(await look?.run({}, context), { ok: true, text: 'Bearer (the secret KEY)' });
    assert.equal(server.headers.at(-1)?.authorization, 'Bearer very-secret');
  });

  it('give no more than a model can take', async () => {
    const servers = await opened({});
    await changed(servers);
    const result = await servers.tools()[0]?.run({ text: 'x'.repeat(maxResultCharacters + 5) }, context);
    assert.match(result?.text ?? '', /x\n\[… 5 more characters were left out\. Ask for less at once\.\]$/);
  });

  it('give of their secrets nothing when that stands where a long answer is cut, nor in what they say of their tools', async () => {
    const schema = (word: string) => ({ type: 'object', properties: { word: { type: 'string', default: word } } });
    const talkative = await startFakeMcpServer({
      listed: () => ({
        tools: [
          { name: 'echo', description: 'The key is very-secret.', inputSchema: schema('x') },
          { name: 'leaks', inputSchema: schema('very-secret') },
        ],
      }),
    });
    try {
      const servers = await opened(
        { url: talkative.url, headers: { Authorization: '{{ secret.KEY }}' } },
        { privateHosts: () => [new URL(talkative.url).host] },
      );
      await changed(servers);
      const [echo, ...others] = servers.tools();
      assert.deepEqual([echo?.definition.description, others], ['The key is (the secret KEY).', []]);
      const cut = await echo?.run({ text: `${'x'.repeat(maxResultCharacters - 6)}very-secret` }, context);
      assert.doesNotMatch(cut?.text ?? '', /very/);
    } finally {
      await talkative.close();
    }
  });

  it('are listed to an end, however many pages they have and however much they say', async () => {
    let pages = 0;
    const endless = await startFakeMcpServer({
      listed: () => ({
        tools: [{ name: `tool-${(pages += 1)}`, inputSchema: { type: 'object', description: 'x'.repeat(60_000) } }],
        nextCursor: 'more',
      }),
    });
    try {
      const servers = await opened({ url: endless.url }, { privateHosts: () => [new URL(endless.url).host] });
      await changed(servers);
      assert.deepEqual([pages, servers.tools().length], [10, 4]);
    } finally {
      await endless.close();
    }
  });

  it('are not started without a secret that they need', async () => {
    await assert.rejects(opened({ headers: { Authorization: '{{secret.OTHER}}' } }), {
      code: 'mcp-secret-missing',
      message: 'The MCP server “far” needs the secret OTHER, and there is none of that name.',
    });
  });

  it('are not reached at an address of this machine, unless the user allows that host', async () => {
    await opened({}, { privateHosts: () => [] });
    assert.match(await noticed(), /127\.0\.0\.1 leads to no public address; the setting airlock\.mcp\.privateHosts/);
    assert.deepEqual(server.headers, []);
  });

  it('lead nobody elsewhere', async () => {
    const away = await startFakeMcpServer({ redirect: server.url });
    try {
      await opened({ url: away.url }, { privateHosts: () => [new URL(away.url).host] });
      assert.match(await noticed(), /cannot be used/);
      assert.deepEqual(server.headers, []);
    } finally {
      await away.close();
    }
  });

  it('of a repository run only as they were approved', async () => {
    const digest = mcpDigest('far', { type: 'http', url: server.url, headers: {} });
    await assert.rejects(opened({ from: 'repository' }), (error: UserError) => {
      assert.equal(error.code, 'mcp-unapproved');
      assert.equal(error.facts['digest'], digest);
      assert.match(
        error.message,
        /^The repository brings the MCP server “far”.*: [0-9a-f]{64} stands for http.*\/mcp$/,
      );
      return true;
    });
    await assert.rejects(
      opened({ from: 'repository', headers: { 'X-Long': 'x'.repeat(5000) } }),
      (error: UserError) => {
        assert.match(error.message, /x … and \d+ more characters$/);
        assert.equal(error.facts['digest'], undefined, 'what is not shown whole is not approved by a click');
        return true;
      },
    );
    const approved = { approved: () => [digest] };
    await assert.rejects(opened({ from: 'repository', headers: { 'X-Other': '1' } }, approved), {
      code: 'mcp-unapproved',
    });
    await changed(await opened({ from: 'repository' }, approved));
  });
});

describe('what is approved of an MCP server', () => {
  it('is all of it, however it is written down', () => {
    const { a, b, c } = mcpServersSchema.parse({
      a: { command: 'x', args: ['1'], env: { A: '1', B: '2' } },
      b: { env: { B: '2', A: '1' }, args: ['1'], command: 'x', type: 'stdio', network: [] },
      c: { command: 'x', args: ['1'], env: { A: '1', B: '2' }, network: ['example.org'] },
    });
    assert.ok(a && b && c);
    assert.equal(mcpDigest('s', a), mcpDigest('s', b));
    assert.notEqual(mcpDigest('s', a), mcpDigest('s', c));
    assert.notEqual(mcpDigest('s', a), mcpDigest('t', a));
  });

  it('is shown with nothing hidden in it', () => {
    const { a } = mcpServersSchema.parse({ a: { command: 'x', args: ['-c', 'a\nb\u202e'], env: { A: 'b c' } } });
    assert.doesNotMatch(a ? describeMcpServer(a) : '\n', /[\n\u202e]/);
    assert.match(a ? describeMcpServer(a) : '', /^A="b c" x -c "a\\nb.*" \(no network\)$/);
  });

  it('has a name that cannot be taken for another', () => {
    for (const name of ['airlock', 'a__b', '_a', 'a_', 'ä', ''])
      assert.equal(mcpServersSchema.safeParse({ [name]: { command: 'x' } }).success, false, name);
  });
});
