import assert from 'node:assert/strict';
import { mcpServersSchema } from '../../../src/core/mcp';
import { personaSchema } from '../../../src/core/persona';
import type { TaskLimits } from '../../../src/core/task';
import { serverPlan } from '../../../src/executor/runServers';

const both = mcpServersSchema.parse({ files: { command: 'files' }, web: { command: 'web' } });
const names = ['mcp__files__read', 'mcp__files__write', 'mcp__web__get', 'mcp__own__do'];

describe('which MCP servers and tools a task may use', () => {
  function plan(
    mcpTools: string[],
    limits: TaskLimits = {},
    own?: Record<string, unknown>,
    deniedMcpTools: string[] = [],
  ): [string[], string[]] {
    const mcpServers = Object.fromEntries(
      Object.entries(both).map(([name, server]) => [name, { server, from: 'user' }]),
    );
    const persona = personaSchema.parse({ name: 'p', mcpServers, mcpTools, deniedMcpTools });
    const { servers, allows } = serverPlan(persona, {
      limits,
      ...(own ? { mcpServers: mcpServersSchema.parse(own) } : {}),
    });
    return [Object.entries(servers).map(([name, { from }]) => `${name} ${from}`), names.filter(allows)];
  }

  it('are those that the persona names', () => {
    assert.deepEqual(plan([]), [[], []]);
    assert.deepEqual(plan(['mcp__files']), [['files user'], ['mcp__files__read', 'mcp__files__write']]);
    assert.deepEqual(plan(['mcp__files__read', 'mcp__web__*']), [
      ['files user', 'web user'],
      ['mcp__files__read', 'mcp__web__get'],
    ]);
  });

  it('are fewer when the task names some or leaves some out', () => {
    const persona = ['mcp__files', 'mcp__web'];
    assert.deepEqual(plan(persona, { tools: ['bash', 'mcp__web'] }), [['web user'], ['mcp__web__get']]);
    assert.deepEqual(plan(persona, { tools: ['bash'] }), [[], []]);
    assert.deepEqual(plan(['mcp__files'], { tools: ['mcp__*'], deniedTools: ['mcp__files__write'] }), [
      ['files user'],
      ['mcp__files__read'],
    ]);
    assert.deepEqual(plan(['mcp__files'], { tools: ['mcp__web'] }), [[], []]);
  });

  it('are those that the definition in the repository brings too, and never in the place of the persona’s', () => {
    assert.deepEqual(plan([], {}, { own: { command: 'own' } }), [['own repository'], ['mcp__own__do']]);
    assert.deepEqual(plan(['mcp__files__read'], {}, { files: { command: 'mine' } }), [
      ['files user'],
      ['mcp__files__read'],
    ]);
  });

  it('are none that the persona is denied, whether it names a tool or a server', () => {
    assert.deepEqual(plan(['mcp__files'], {}, undefined, ['mcp__files__write']), [
      ['files user'],
      ['mcp__files__read'],
    ]);
    assert.deepEqual(plan(['mcp__files__read', 'mcp__web'], {}, undefined, ['mcp__files'])[1], ['mcp__web__get']);
  });
});
