import assert from 'node:assert/strict';
import { globTool } from '../../../src/tools/globTool';
import { grepTool } from '../../../src/tools/grepTool';
import { FolderSession } from './folderSession';

describe('the search tools', () => {
  let session: FolderSession;
  beforeEach(async () => {
    session = await FolderSession.create();
    for (const [path, text] of Object.entries({
      'README.md': '# Hello\nThe answer is 42.\n',
      'src/main.ts': 'const answer = 42;\nexport { answer };\n',
      'src/deep/er/util.ts': 'export const ANSWER = 43;\n',
      'src/page.tsx': '<b>answer</b>\n',
      'a[1]+(2).txt': 'odd name\n',
      '-n': 'answer\n',
      '.git/config': 'answer\n',
      'node_modules/p/index.js': 'answer\n',
    })) {
      await session.put(path, text);
    }
    await session.put('data.bin', Buffer.from('answer\0answer'));
  });
  afterEach(() => session.close());

  describe('glob', () => {
    const glob = async (pattern: string, path?: string) => {
      const { ok, text } = await globTool.run({ pattern, path }, session.context);
      assert.equal(ok, true, text);
      return text.split('\n');
    };

    for (const [pattern, expected] of [
      ['**/*.ts', ['src/deep/er/util.ts', 'src/main.ts']],
      ['*.md', ['README.md']],
      ['src/*.ts', ['src/main.ts']],
      ['src/**', ['src/deep/er/util.ts', 'src/main.ts', 'src/page.tsx']],
      ['**/*.{ts,tsx}', ['src/deep/er/util.ts', 'src/main.ts', 'src/page.tsx']],
      ['src/**/[t-v]til.?s', ['src/deep/er/util.ts']],
      ['src/[!p]*.ts*', ['src/main.ts']],
      ['a\\[1\\]+(2).txt', ['a[1]+(2).txt']],
      ['./src/main.ts', ['src/main.ts']],
      ['.git/*', ['.git/config']],
      ['node_modules/**/*.js', ['node_modules/p/index.js']],
      ['*.nothing', ['No file matches.']],
      ['{a,b', ['No file matches.']],
    ] as const) {
      it(`finds ${pattern}`, async () => {
        assert.deepEqual(await glob(pattern), expected);
      });
    }

    it('finds below a folder', async () => {
      assert.deepEqual(await glob('**/*.ts', 'src/deep/'), ['./src/deep/er/util.ts']);
      assert.deepEqual(await glob('*.ts', `${session.folder}/src`), [`${session.folder}/src/main.ts`]);
      assert.deepEqual(await glob(`${session.folder}/src/*.ts`), [`${session.folder}/src/main.ts`]);
    });

    it('gives no more than can be read', async () => {
      for (let at = 0; at < 510; at += 1) await session.put(`many/${String(at).padStart(3, '0')}.x`, '');
      const lines = await glob('**/*.x');
      assert.equal(lines.length, 501);
      assert.equal(lines.at(-1), '[10 more files match. Use a narrower pattern.]');
    });

    it('answers a folder that is not there', async () => {
      const { ok, text } = await globTool.run({ pattern: '*', path: 'nowhere' }, session.context);
      assert.equal(ok, false);
      assert.match(text, /nowhere.*No such file/);
    });
  });

  describe('grep', () => {
    const grep = async (input: Record<string, unknown>) => {
      const { ok, text } = await grepTool.run(input, session.context);
      assert.equal(ok, true, text);
      return text.split('\n').sort();
    };

    it('finds lines, and leaves binary files, .git and node_modules out', async () => {
      assert.deepEqual(await grep({ pattern: 'answer' }), [
        '-n:1:answer',
        'README.md:2:The answer is 42.',
        'src/main.ts:1:const answer = 42;',
        'src/main.ts:2:export { answer };',
        'src/page.tsx:1:<b>answer</b>',
      ]);
    });

    it('knows Perl’s expressions, case and names', async () => {
      assert.deepEqual(await grep({ pattern: 'answer\\s*=\\s*\\d+(?=;)', ignore_case: true, glob: '*.{ts,tsx}' }), [
        'src/deep/er/util.ts:1:export const ANSWER = 43;',
        'src/main.ts:1:const answer = 42;',
      ]);
    });

    it('gives names alone, and lines around', async () => {
      assert.deepEqual(await grep({ pattern: 'answer', path: 'src', files_only: true }), [
        'src/main.ts',
        'src/page.tsx',
      ]);
      assert.deepEqual(await grep({ pattern: '42', path: 'README.md', context: 1 }), [
        'README.md-1-# Hello',
        'README.md:2:The answer is 42.',
      ]);
    });

    it('takes no path and no pattern for an option', async () => {
      assert.deepEqual(await grep({ pattern: 'answer', path: '-n' }), ['-n:1:answer']);
      assert.deepEqual(await grep({ pattern: '--help' }), ['Nothing matches.']);
    });

    it('gives no more lines than it was asked for, and cuts long ones', async () => {
      await session.put('long.txt', `${`needle ${'x'.repeat(1000)}\n`.repeat(10)}`);
      const { text } = await grepTool.run({ pattern: 'needle', limit: 3 }, session.context);
      const lines = text.split('\n');
      assert.equal(lines.length, 4);
      assert.match(lines[0] ?? '', /^long\.txt:1:needle x+ \[…\d+ more characters\]$/);
      assert.equal(lines[3], '[7 more lines match. Search for less, or raise limit.]');
    });

    it('answers an expression that is none', async () => {
      const { ok, text } = await grepTool.run({ pattern: 'a(' }, session.context);
      assert.equal(ok, false);
      assert.match(text, /grep: /);
    });

    it('answers a place that is not there', async () => {
      const { ok, text } = await grepTool.run({ pattern: 'a', path: 'nowhere' }, session.context);
      assert.equal(ok, false);
      assert.match(text, /nowhere: No such file/);
    });
  });
});
