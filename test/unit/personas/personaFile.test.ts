import assert from 'node:assert/strict';
import { personaSchema, usualTools } from '../../../src/core/persona';
import { readAgentFile } from '../../../src/personas/agentFile';
import { readPersonaFile } from '../../../src/personas/personaFile';

const path = '/repo/.airlock/personas/fixer.md';

function file(...lines: string[]): string {
  return ['---', ...lines, '---', '', 'You fix things.', ''].join('\n');
}

describe('a persona file', () => {
  it('says everything that a persona has', () => {
    const read = readPersonaFile(
      file(
        'name: Fixer',
        'description: Fixes.',
        'tools: [read, edit]',
        'model: claude-opus-5-5',
        'network: [packages.example.com, "*.example.org:8443"]',
        'limits: { timeout_minutes: 1.5, max_turns: 7, max_cost_usd: 0.5 }',
        'jail: { memory_megabytes: 512, processes: 20, cpu_minutes: 3 }',
      ),
      'fixer',
      path,
    );
    assert.deepEqual(read, {
      persona: personaSchema.parse({
        name: 'Fixer',
        description: 'Fixes.',
        prompt: 'You fix things.',
        tools: ['read', 'edit'],
        model: 'claude-opus-5-5',
        network: { kind: 'allowlist', domains: ['packages.example.com', '*.example.org:8443'] },
        limits: { timeoutMs: 90_000, maxTurns: 7, maxCostUsd: 0.5 },
        jailLimits: { memoryBytes: 512 * 1024 ** 2, processes: 20, cpuMs: 180_000 },
      }),
      diagnostics: [],
    });
  });

  it('needs nothing but its text: it is named as its file and has every tool', () => {
    const { persona } = readPersonaFile('---\n---\nHello', 'fixer', path);
    assert.deepEqual([persona?.name, persona?.tools, persona?.prompt], ['fixer', [...usualTools], 'Hello']);
  });

  it('that may only read has no tool that writes, without saying so', () => {
    const { persona } = readPersonaFile(file('workspace: read-only'), 'fixer', path);
    assert.equal(persona?.workspace, 'read');
    assert.deepEqual(
      persona.tools,
      usualTools.filter((name) => name !== 'write' && name !== 'edit'),
    );
  });

  it('may have lines that end with CRLF', () => {
    assert.equal(readPersonaFile('---\r\nname: a\r\n---\r\nx', 'fixer', path).persona?.name, 'a');
  });

  const wrong: [string, string, readonly [line: number, words: RegExp][]][] = [
    ['no front matter', 'You fix things.', [[1, /no front matter/]]],
    ['a front matter without an end', '---\nname: a\n', [[1, /no front matter/]]],
    ['no YAML', file('name: [a'), [[2, /no YAML/]]],
    ['an unknown key', file('name: a', 'colour: red'), [[3, /^colour: there is no such key/]]],
    ['an unknown tool', file('tools:', '  - read', '  - hack'), [[4, /no tool "hack"; there are bash, /]]],
    ['a domain that is none', file('network: ["http://a.b/"]'), [[2, /a domain such as/]]],
    [
      'two faults',
      file('limits: { max_turns: 0 }', 'x: 1'),
      [
        [2, /limits.max_turns/],
        [3, /^x: /],
      ],
    ],
    [
      'tools that write where nothing may be written',
      file('workspace: read-only', 'tools: [read, write, edit]'),
      [[3, /with workspace: read-only there is no write and no edit/]],
    ],
    ['a workspace that is none', file('workspace: mine'), [[2, /^workspace: /]]],
    ['a name that is none', file('name: "../x"'), [[2, /letters, digits/]]],
  ];
  for (const [what, text, expected] of wrong) {
    it(`with ${what} is no persona, and says so at its line`, () => {
      const { persona, diagnostics } = readPersonaFile(text, 'fixer', path);
      assert.equal(persona, undefined);
      assert.deepEqual(
        diagnostics.map(({ line, severity, path: where }) => [line, severity, where]),
        expected.map(([line]) => [line, 'error', path]),
      );
      expected.forEach(([, words], at) => assert.match(diagnostics[at]?.message ?? '', words));
    });
  }
});

describe('a subagent of Claude Code', () => {
  const aliases = { sonnet: 'claude-sonnet-x', opus: 'claude-opus-x' };
  function agent(...lines: string[]): ReturnType<typeof readAgentFile> {
    return readAgentFile(file(...lines), 'fixer', path, aliases);
  }

  it('is a persona with our tools for its own, whatever else is in it', () => {
    const read = agent('name: fixer', 'description: Fixes.', 'tools: Read, Bash, WebFetch, Bash(git *)', 'color: blue');
    assert.deepEqual(read, {
      persona: personaSchema.parse({
        name: 'fixer',
        description: 'Fixes.',
        prompt: 'You fix things.',
        tools: ['bash', 'bash_output', 'bash_input', 'bash_stop', 'read', 'report_progress', 'ask_user', 'finish'],
      }),
      diagnostics: [],
    });
  });

  it('is read as people and tools write them, although that is no YAML', () => {
    const read = readAgentFile(
      [
        '---',
        'name: code-reviewer',
        'description: Use this agent when code was written: e.g. a feature. Examples: <example>Context: The user wrote a function.\\nuser: "Write is_prime"\\nassistant: "Done # now I review"</example>',
        'tools: Glob, Grep, LS, Read, WebFetch, TodoWrite, mcp__ide__getDiagnostics',
        'model: opus',
        'color: red',
        'permissionMode: plan',
        '---',
        '',
        'You are an expert code reviewer.',
        '',
        '## Core responsibilities',
        '---',
        'Project guidelines: see CLAUDE.md',
      ].join('\n'),
      'code-reviewer',
      path,
      aliases,
    );
    assert.deepEqual(read.diagnostics, []);
    const { name, description, prompt, tools, model, workspace } = read.persona ?? assert.fail('it is no persona');
    assert.match(description, /^Use this agent when code was written: e\.g\. a feature\. Examples: <example>Context: /);
    assert.match(
      prompt,
      /^You are an expert code reviewer\.\n\n## Core responsibilities\n---\nProject guidelines: see/,
    );
    assert.deepEqual(
      [name, tools, model, workspace],
      ['code-reviewer', ['read', 'glob', 'grep', 'report_progress', 'ask_user', 'finish'], 'claude-opus-x', 'read'],
    );
  });

  it('may have a block or a list where others have a line', () => {
    const read = agent('name: a', 'description: >', '  Several: lines', '  of it.', 'tools:', '  - Read', '  - Bash');
    assert.deepEqual(
      [read.persona?.description, read.persona?.tools.slice(0, 1), read.diagnostics],
      ['Several: lines of it. ', ['bash'], []],
    );
  });

  it('without a list of tools has all but those that it must not have', () => {
    assert.deepEqual(agent('name: fixer').persona?.tools, [...usualTools]);
    assert.deepEqual(
      agent('disallowedTools: [Write, Edit]').persona?.tools,
      usualTools.filter((tool) => tool !== 'write' && tool !== 'edit'),
    );
  });

  it('has the model that its short name means, and the user’s own where that means nothing', () => {
    const models = ['opus', 'sonnet', 'haiku', 'inherit', 'claude-other'].map(
      (model) => agent(`model: ${model}`).persona?.model,
    );
    assert.deepEqual(models, ['claude-opus-x', 'claude-sonnet-x', null, null, 'claude-other']);
  });
});
