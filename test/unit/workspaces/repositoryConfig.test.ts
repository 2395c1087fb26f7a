import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UserError } from '../../../src/base/errors';
import { parseRepositoryConfig } from '../../../src/workspaces/repositoryConfig';

function refusalOf(text: string): { code: string; line: unknown; message: string } {
  try {
    parseRepositoryConfig(text);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return { code: error.code, line: error.facts['line'], message: error.message };
  }
  throw new assert.AssertionError({ message: 'it was accepted' });
}

describe('The configuration of a repository', () => {
  it('has checks and shared folders', () => {
    assert.deepEqual(
      parseRepositoryConfig('checks:\n  - npm test\n  - npm run lint\nshare: [node_modules/, .venv]\n'),
      {
        checks: ['npm test', 'npm run lint'],
        share: ['node_modules', '.venv'],
        setup: null,
      },
    );
  });

  it('may be empty, or have empty keys', () => {
    const empty = { checks: [], share: [], setup: null };
    assert.deepEqual(parseRepositoryConfig(''), empty);
    assert.deepEqual(parseRepositoryConfig('# nothing yet\n'), empty);
    assert.deepEqual(parseRepositoryConfig('checks:\nshare:\n'), empty);
  });

  it('has a setup: a command, a list, or all that can be said of one', () => {
    const plain = { network: [], lockFiles: null, outputs: null, timeoutMs: 600_000 };
    assert.deepEqual(parseRepositoryConfig('setup: npm ci\n').setup, { commands: ['npm ci'], ...plain });
    assert.deepEqual(parseRepositoryConfig('setup: [a, b]\n').setup, { commands: ['a', 'b'], ...plain });
    const whole = `setup:
  run: npm ci
  network: [packages.example.com]
  lock_files: [api/lock.json]
  outputs: [node_modules/, lib/gen]
  timeout_seconds: 1.5
`;
    assert.deepEqual(parseRepositoryConfig(whole).setup, {
      commands: ['npm ci'],
      network: ['packages.example.com'],
      lockFiles: ['api/lock.json'],
      outputs: ['node_modules', 'lib/gen'],
      timeoutMs: 1500,
    });
  });

  const wrongSetups: [string, string, RegExp][] = [
    ['runs nothing', 'setup:\n  outputs: [a]\n', /setup\.run/],
    ['has a key that nobody knows', 'setup:\n  run: a\n  output: [a]\n', /output/],
    ['makes a folder in another one', 'setup:\n  run: a\n  outputs: [a, a/b]\n', /none lies inside another/],
    ['makes a folder outside', 'setup:\n  run: a\n  outputs: [../b]\n', /inside the repository/],
    ['makes what is shared', 'setup:\n  run: a\n  outputs: [a]\nshare: [a]\n', /cannot be shared too/],
  ];
  for (const [what, text, problem] of wrongSetups) {
    it(`is refused when its setup ${what}`, () => assert.match(refusalOf(text).message, problem));
  }

  it('names a shared folder once', () => {
    assert.deepEqual(parseRepositoryConfig('share: [a, a/, b]').share, ['a', 'b']);
  });

  it('is refused at the line of what is no YAML', () => {
    const { code, line, message } = refusalOf('checks:\n  - ok\n  - "open\n');
    assert.equal(code, 'config-invalid');
    assert.ok(line === 3 || line === 4, `line ${String(line)}`);
    assert.match(message, /^\.airlock\/config\.yaml, line \d: .+Mend it and commit it\.$/s);
  });

  it('is refused at the line of a value of the wrong kind', () => {
    const { code, line, message } = refusalOf('share: []\nchecks:\n  - npm test\n  - 7\n');
    assert.deepEqual({ code, line }, { code: 'config-invalid', line: 4 });
    assert.match(message, /checks\.1/);
  });

  it('is refused when it has a key that nobody knows', () => {
    const { code, message } = refusalOf('check: [npm test]\n');
    assert.equal(code, 'config-invalid');
    assert.match(message, /check/);
  });

  for (const path of ['/etc', '../secrets', 'a/../../b', '.', '', '.git', 'sub/.GIT/x', './a', 'a//b']) {
    it(`is refused when it shares ${JSON.stringify(path)}`, () => {
      assert.equal(refusalOf(`share:\n  - ${JSON.stringify(path)}\n`).line, 2);
    });
  }

  it('is refused when aliases blow it up', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}]`,
    );
    assert.equal(refusalOf(`l0: &l0 [x]\n${levels.join('\n')}\n`).code, 'config-invalid');
  });

  it('is taken or refused in clear words, whatever stands in it', () => {
    const word = fc.constantFrom(
      'checks',
      'share',
      ':',
      '-',
      ' ',
      '\n',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '"',
      "'",
      '|',
      '!!js',
      '#',
      '..',
      '\t',
      '\u0000',
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
      fc.string({ unit: 'binary' }),
      fc.json(),
    );
    fc.assert(
      fc.property(text, (content) => {
        try {
          parseRepositoryConfig(content);
        } catch (error) {
          assert.ok(error instanceof UserError && error.code === 'config-invalid', String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
