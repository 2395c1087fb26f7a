import assert from 'node:assert/strict';
import { allowsCall, type ApprovalRule, mustAsk, plainWords, strictest } from '../../../src/core/approval';

const call = 'c'.repeat(64);

describe('what an agent must ask about', () => {
  const asked = (mode: Parameters<typeof mustAsk>[0]): string[] =>
    ['read', 'grep', 'bash_output', 'finish', 'edit', 'write', 'bash', 'bash_input', 'mcp__x', '', '__proto__'].filter(
      (tool) => mustAsk(mode, tool),
    );

  it('is all that changes or runs something, all that runs something, or nothing', () => {
    assert.deepEqual(asked('ask'), ['edit', 'write', 'bash', 'bash_input', 'mcp__x', '', '__proto__']);
    assert.deepEqual(asked('edits'), ['bash', 'bash_input', 'mcp__x', '', '__proto__']);
    assert.deepEqual(asked('unattended'), []);
  });

  it('is what the strictest of settings, persona and task want', () => {
    assert.equal(strictest(['unattended', 'edits', undefined]), 'edits');
    assert.equal(strictest(['edits', undefined, 'ask']), 'ask');
    assert.equal(strictest([undefined]), 'unattended');
  });
});

describe('a rule that the user has made', () => {
  const rule: ApprovalRule = { kind: 'words', words: ['npm', 'test'] };
  const allows = (command: string | null, tool = 'bash'): boolean => allowsCall([rule], { tool, call, command });

  it('allows commands of plain words that begin with its words', () => {
    for (const command of ['npm test', 'npm  test', 'npm test -- --grep a=b', 'npm test test/a_b.ts:3,4'])
      assert.equal(allows(command), true, command);
  });

  it('allows no command that is more than plain words, however it begins', () => {
    const more = [
      'npm test; rm -rf .',
      'npm test && x',
      'npm test | x',
      'npm test & x',
      'npm test > x',
      'npm test < x',
      'npm test $(x)',
      'npm test `x`',
      'npm test $X',
      'npm test *',
      'npm test a?',
      'npm test {a,b}',
      'npm test [a]',
      'npm test ~',
      'npm test !x',
      'npm test ^x',
      'npm test #x',
      "npm test 'x'",
      'npm test "x"',
      'npm test \\x',
      'npm test (x)',
      'npm test\nrm -rf .',
      'npm test\r x',
      'npm test\tx',
      'npm test\u00a0x',
      'npm test\u2028x',
      'npm test \u202ex',
      'npm test \u200bx',
      'npm test ｘ',
      'X=1 npm test',
      ' npm test',
      'npm test ',
      'npm test\0',
    ];
    for (const command of more) assert.equal(allows(command), false, JSON.stringify(command));
  });

  it('takes whole words, in their order', () => {
    for (const command of ['npm', 'npm tests', 'xnpm test', 'npm run test', 'npm Test', 'nрm test'])
      assert.equal(allows(command), false, command);
  });

  it('is about commands in the foreground alone', () => {
    assert.equal(allows(null), false);
    assert.equal(allows('npm test', 'bash_input'), false);
  });

  it('for one call allows that very call', () => {
    const same: ApprovalRule = { kind: 'same', call };
    assert.equal(allowsCall([same], { tool: 'edit', call, command: null }), true);
    assert.equal(allowsCall([same], { tool: 'edit', call: 'd'.repeat(64), command: null }), false);
  });

  it('never sets a variable before a command', () => {
    assert.equal(plainWords('PATH=/tmp ls'), null);
    assert.deepEqual(plainWords('ls a=b'), ['ls', 'a=b']);
  });
});
