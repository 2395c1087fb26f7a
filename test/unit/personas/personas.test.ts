import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger } from '../../../src/base/logger';
import type { Diagnostic } from '../../../src/core/diagnostic';
import { jailLimitsSchema } from '../../../src/core/jailPolicy';
import { personaNamed, type PersonaList } from '../../../src/core/persona';
import { createPersonas } from '../../../src/personas/personas';
import { committedFiles } from '../../../src/workspaces/committedFiles';
import { commitAll, git, makeRepository, type SampleFile } from '../workspaces/sampleRepository';

describe('the personas that tasks can name', () => {
  let top: string;
  let told: (readonly Diagnostic[])[];
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'airlock-personas-'));
    told = [];
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  function personas(domains: readonly string[] = []): ReturnType<typeof createPersonas> {
    return createPersonas({
      folder: join(top, 'mine'),
      bounds: { domains, timeoutMs: 60_000, maxTurns: 10, maxCostUsd: 2 },
      aliases: {},
      committedFiles,
      onDiagnostics: (_owner, diagnostics) => told.push(diagnostics),
      logger: silentLogger,
    });
  }

  function repository(files: Record<string, SampleFile>): string {
    const repo = join(top, 'repo');
    makeRepository(repo, { 'a.txt': 'a', ...files });
    return repo;
  }

  function writeMine(name: string, text: string): void {
    const file = join(top, 'mine', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  const names = ({ personas: all }: PersonaList): string[] => all.map(({ persona }) => persona.name);
  const builtIn = ['implementer', 'test-writer', 'reviewer', 'documenter', 'researcher', 'planner'];

  it('are the built-in ones where there is nothing else', async () => {
    const list = await personas().of(repository({}));
    assert.deepEqual(names(list), builtIn);
    assert.equal(personaNamed(list, null)?.name, 'implementer');
    assert.deepEqual(list.diagnostics, []);
  });

  it('are the committed ones too, and not what only lies in the folder', async () => {
    const repo = repository({
      '.airlock/personas/fixer.md': '---\n---\nFix.',
      '.claude/agents/a.md': '---\nname: helper\n---\n',
    });
    writeFileSync(join(repo, '.airlock/personas/later.md'), '---\n---\nLater.');
    assert.deepEqual(names(await personas().of(repo)), ['fixer', 'helper', ...builtIn]);
  });

  it('of one name are the user’s, then the repository’s own, then Claude Code’s, then the built-in one', async () => {
    const named = (prompt: string): string => `---\nname: reviewer\n---\n${prompt}`;
    const repo = repository({
      '.airlock/personas/r.md': named('house'),
      '.claude/agents/r.md': named('claude'),
    });
    const promptOf = async (): Promise<string | undefined> =>
      personaNamed(await personas().of(repo), 'reviewer')?.prompt;
    assert.equal(await promptOf(), 'house');
    writeMine('r.md', named('mine'));
    assert.equal(await promptOf(), 'mine');
    assert.match(personaNamed(await personas().of(null), 'reviewer')?.prompt ?? '', /mine/);
  });

  it('of a repository have no more than the user allows, and it is said what they wanted besides', async () => {
    const repo = repository({
      '.airlock/personas/greedy.md':
        '---\nnetwork: [a.example.org, evil.test]\nlimits: { timeout_minutes: 999, max_turns: 3, max_cost_usd: 99 }\njail: { memory_megabytes: 999999, processes: 5 }\n---\n',
    });
    const list = await personas(['*.example.org']).of(repo);
    const { network, limits, jailLimits } = personaNamed(list, 'greedy') ?? assert.fail('it is not there');
    assert.deepEqual(network, { kind: 'allowlist', domains: ['a.example.org'] });
    assert.deepEqual(limits, { timeoutMs: 60_000, maxTurns: 3, maxCostUsd: 2 });
    assert.deepEqual(jailLimits, { ...jailLimitsSchema.parse({}), processes: 5 });
    assert.match(list.diagnostics[0]?.message ?? '', /not allowed evil\.test.*airlock\.personas\.network/);
    assert.deepEqual(personaNamed(await personas().of(repo), 'greedy')?.network, { kind: 'none' });
  });

  it('of a repository that take the name of a built-in one have no tool that it has not, and write only where it does', async () => {
    const repo = repository({ '.claude/agents/reviewer.md': '---\nname: reviewer\n---\nReview.' });
    const list = await personas().of(repo);
    const reviewer = personaNamed(list, 'reviewer') ?? assert.fail('it is not there');
    assert.deepEqual([reviewer.tools.includes('write'), reviewer.workspace], [false, 'read']);
    assert.match(list.diagnostics[0]?.message ?? '', /“reviewer” has no write, edit/);
  });

  it('that are built in keep to the settings with the limits that they have', async () => {
    const list = await personas().of(null);
    assert.deepEqual(personaNamed(list, 'reviewer')?.limits, { timeoutMs: 60_000, maxTurns: 10 });
    assert.deepEqual(personaNamed(list, 'implementer')?.limits, {});
  });

  it('of the user have what they say', async () => {
    writeMine('net.md', '---\nnetwork: [evil.test]\nlimits: { max_turns: 500 }\n---\n');
    const persona = personaNamed(await personas().of(null), 'net');
    assert.deepEqual(
      [persona?.network, persona?.limits.maxTurns],
      [{ kind: 'allowlist', domains: ['evil.test'] }, 500],
    );
  });

  it('that are wrong harm no other, and are told once, and again when that is over', async () => {
    writeMine('good.md', '---\n---\nGood.');
    writeMine('bad.md', '---\nnmae: x\n---\n');
    const all = personas();
    assert.deepEqual(names(await all.of(null)), ['good', ...builtIn]);
    await all.of(null);
    writeMine('bad.md', '---\nname: x\n---\n');
    await all.of(null);
    assert.deepEqual(
      told.map((each) => each.map(({ path, line, message }) => [path, line, message])),
      [[[join(top, 'mine', 'bad.md'), 2, 'nmae: there is no such key.']], []],
    );
  });

  it('that are links in a repository are none', async () => {
    const repo = repository({ '.airlock/personas/link.md': { link: '/etc/passwd' } });
    const list = await personas().of(repo);
    assert.deepEqual(names(list), builtIn);
    assert.equal(list.diagnostics[0]?.message, 'It is not a file.');
  });

  it('are the built-in ones where a repository has no commit', async () => {
    const repo = join(top, 'none');
    mkdirSync(repo);
    assert.deepEqual(names(await personas().of(repo)), builtIn);
  });

  describe('and the servers of the repository’s .mcp.json', () => {
    const docs = { command: 'docs', args: ['--all'] };
    const mcpJson = (servers: unknown): string => JSON.stringify({ mcpServers: servers, other: true }, null, 2);
    const serversOf = (list: PersonaList, name: string): unknown => {
      const found = personaNamed(list, name)?.mcpServers ?? {};
      return Object.entries(found).map(([server, { from, server: what }]) => [
        server,
        from,
        what.type === 'stdio' ? what.command : what.url,
      ]);
    };

    it('are the repository’s for whoever’s list names them, and for nobody else', async () => {
      writeMine('mine.md', '---\ntools: [read, mcp__docs__find]\n---\n');
      const repo = repository({ '.mcp.json': mcpJson({ docs, issues: { command: 'issues' } }) });
      const list = await personas().of(repo);
      assert.deepEqual(list.diagnostics, []);
      assert.deepEqual(serversOf(list, 'mine'), [['docs', 'repository', 'docs']]);
      assert.deepEqual(serversOf(list, 'implementer'), []);
    });

    it('stand behind those that a persona brings itself', async () => {
      writeMine('mine.md', '---\ntools: [mcp__docs]\nmcp_servers: { docs: { command: my-docs } }\n---\n');
      const list = await personas().of(repository({ '.mcp.json': mcpJson({ docs }) }));
      assert.deepEqual(serversOf(list, 'mine'), [['docs', 'user', 'my-docs']]);
    });

    it('are there though others are wrong or of a kind that is not known', async () => {
      writeMine('mine.md', '---\ntools: [mcp__docs, mcp__old, mcp__mine]\n---\n');
      const old = { type: 'sse', url: 'https://example.org/sse' };
      const repo = repository({ '.mcp.json': mcpJson({ old, docs, mine: { command: '${HOME}/bin/mine' } }) });
      const list = await personas().of(repo);
      assert.deepEqual(serversOf(list, 'mine'), [['docs', 'repository', 'docs']]);
      assert.deepEqual(
        list.diagnostics.map(({ line, message }) => [line, message]),
        [
          [3, 'mcpServers.old: it is neither a program (`command`) nor a server on the network (`type` http, `url`).'],
          [
            13,
            'mcpServers.mine: Variables are filled in in `env` and `headers` alone, from the secrets of their names.',
          ],
        ],
      );
    });

    it('have secrets where Claude Code would take variables of its environment', async () => {
      writeMine('mine.md', '---\ntools: [mcp__docs]\n---\n');
      const env = { TOKEN: 'Bearer ${DOCS_TOKEN}', LEVEL: '${LEVEL:-info}' };
      const list = await personas().of(repository({ '.mcp.json': mcpJson({ docs: { ...docs, env } }) }));
      const { server } = personaNamed(list, 'mine')?.mcpServers['docs'] ?? {};
      assert.deepEqual(server?.type === 'stdio' && server.env, {
        TOKEN: 'Bearer {{ secret.DOCS_TOKEN }}',
        LEVEL: 'info',
      });
    });

    it('are told of at the line that is wrong, and harm no persona', async () => {
      writeMine('mine.md', '---\ntools: [mcp__docs]\n---\n');
      const repo = repository({ '.mcp.json': '{\n "mcpServers": {\n  "docs": {\n   "command": 7 } } }' });
      const list = await personas().of(repo);
      const message = 'mcpServers.docs.command: Invalid input: expected string, received number.';
      const path = join(repo, '.mcp.json');
      assert.deepEqual(list.diagnostics, [{ path, line: 4, column: 15, severity: 'error', message }]);
      assert.deepEqual(personaNamed(list, 'mine')?.mcpServers, {});
    });

    it('are told of at the very value or name that is wrong in them', async () => {
      writeMine('mine.md', '---\ntools: [mcp__docs]\n---\n');
      const servers = {
        port: { ...docs, env: { HOST: 'a', PORT: 8080 } },
        name: { command: 'x', env: { 'MY-KEY': 'a' } },
        args: { command: 'x', args: ['a', true] },
        url: { type: 'http', url: 'ftp://example.org' },
        head: { type: 'http', url: 'https://example.org', headers: { 'X-A': null } },
        no_type: { url: 'https://example.org' },
        nothing: {},
        text: 'docs',
        'not a name': docs,
      };
      const list = await personas().of(repository({ '.mcp.json': mcpJson(servers) }));
      const neither = 'it is neither a program (`command`) nor a server on the network (`type` http, `url`).';
      assert.deepEqual(
        list.diagnostics.map(({ line, message }) => `${line} ${message.replace(/^mcpServers\./, '')}`),
        [
          '10 port.env.PORT: it is no text: put it in quotes.',
          '16 name.env.MY-KEY: a name of letters, digits and _.',
          '23 args.args.1: it is no text: put it in quotes.',
          '28 url.url: Invalid URL.',
          '34 head.headers.X-A: it is no text: put it in quotes.',
          `37 no_type: ${neither}`,
          `40 nothing: ${neither}`,
          `41 text: ${neither}`,
          '42 not a name: letters, digits, - and single _.',
        ],
      );
    });

    for (const [what, text, told] of [
      ['a missing colon', '{\n "mcpServers" {}\n}', "2:15 It is no JSON: Expected ':' after property name."],
      ['an end that is missing', '{\n "mcpServers": {', '2:17 It is no JSON: '],
      ['a text that does not end', '{\n "mcpServers": "x\n', '2:'],
      ['two keys of one name', '{\n "a": 1,\n "a": 2\n}', '3:2 It cannot be read: Map keys must be unique.'],
      ['something behind it', '{} x', '1:4 It is no JSON: Unexpected non-whitespace character after JSON.'],
    ] as const) {
      it(`are told to be no JSON where that is so: ${what}`, async () => {
        writeMine('mine.md', '---\ntools: [mcp__docs]\n---\n');
        const { diagnostics } = await personas().of(repository({ '.mcp.json': text }));
        assert.equal(diagnostics.length, 1);
        const [{ line, column, message } = { line: 0, column: 0, message: '' }] = diagnostics;
        assert.ok(`${line}:${column} ${message}`.startsWith(told), `${line}:${column} ${message}`);
        assert.doesNotMatch(message, /YAML|position/);
      });
    }

    it('are none when the file is a link, or only lies there', async () => {
      writeMine('mine.md', '---\ntools: [mcp__docs]\n---\n');
      const repo = repository({ 'elsewhere.json': mcpJson({ docs }), '.mcp.json': { link: 'elsewhere.json' } });
      const list = await personas().of(repo);
      assert.deepEqual(
        [serversOf(list, 'mine'), list.diagnostics.map(({ message }) => message)],
        [[], ['It is not a file.']],
      );
      rmSync(join(repo, '.mcp.json'));
      git(repo, 'rm', '-q', '--cached', '.mcp.json');
      commitAll(repo, 'none');
      writeFileSync(join(repo, '.mcp.json'), mcpJson({ docs }));
      assert.deepEqual(serversOf(await personas().of(repo), 'mine'), []);
    });
  });
});
