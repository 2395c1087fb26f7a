import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { importStream, parseImportAnswer } from '../../../src/workspaces/importStream';
import { bytesOf, isStorable } from '../../../src/workspaces/pathBytes';
import { parseTreeListing } from '../../../src/workspaces/treeListing';
import { git, makeRepository, makeTempFolder, removeFolder } from './sampleRepository';

describe('A commit made by fast-import', () => {
  let top: string;
  let repo: string;
  let base: string;
  let readme: string;

  beforeEach(() => {
    top = makeTempFolder();
    repo = makeRepository(join(top, 'repo'), { 'README.md': 'hello\n', 'dir/a': 'a\n', 'dir/b': 'b\n' });
    base = git(repo, 'rev-parse', 'HEAD');
    readme = git(repo, 'rev-parse', 'HEAD:README.md');
  });
  afterEach(() => removeFolder(top));

  function run(commit: Partial<Parameters<typeof importStream>[0]>): { commit: string; tree: string } {
    const input = importStream({
      ref: 'refs/snapshots/one',
      parent: base,
      message: 'x',
      committedAtMs: 1_700_000_000_999,
      ...commit,
    });
    return parseImportAnswer(
      execFileSync('git', ['fast-import', '--quiet', '--done', '--force', '--cat-blob-fd=1'], { cwd: repo, input }),
    );
  }

  function files(tree: string): Record<string, string> {
    const listed = parseTreeListing(execFileSync('git', ['ls-tree', '-r', '-z', tree], { cwd: repo }));
    return Object.fromEntries([...listed].map(([path, { mode, objectId }]) => [path, `${mode} ${objectId}`]));
  }

  it('has the base as its parent, the message whole and the time in UTC', () => {
    const { commit, tree } = run({ message: 'Grün\n\nbody "x"\n' });
    assert.equal(
      git(repo, 'cat-file', 'commit', commit),
      [
        `tree ${tree}`,
        `parent ${base}`,
        'author Airlock <airlock@localhost> 1700000000 +0000',
        'committer Airlock <airlock@localhost> 1700000000 +0000',
        '',
        'Grün\n\nbody "x"',
      ].join('\n'),
    );
    assert.equal(tree, git(repo, 'rev-parse', 'HEAD^{tree}'));
  });

  it('has what the edit says, in the place of whatever was there', () => {
    const { tree } = run({
      edit: {
        removed: ['dir/b'],
        entries: [
          { path: 'README.md/now/a/folder', mode: '100755', objectId: readme },
          { path: 'sub', mode: '160000', objectId: base },
        ],
        links: [{ path: 'dir/link', target: bytesOf('../über "x"\n') }],
      },
    });
    const link = git(repo, 'rev-parse', `${tree}:dir/link`);
    assert.deepEqual(files(tree), {
      'README.md/now/a/folder': `100755 ${readme}`,
      'dir/a': `100644 ${git(repo, 'rev-parse', 'HEAD:dir/a')}`,
      'dir/link': `120000 ${link}`,
      sub: `160000 ${base}`,
    });
    assert.equal(execFileSync('git', ['cat-file', 'blob', link], { cwd: repo, encoding: 'utf8' }), '../über "x"\n');
  });

  it('may have an empty tree', () => {
    const { tree } = run({ edit: { removed: ['README.md', 'dir/a', 'dir/b'], entries: [], links: [] } });
    assert.deepEqual(files(tree), {});
  });

  it('may start from another tree than its parent has', () => {
    const other = git(repo, 'rev-parse', 'HEAD:dir');
    const { tree } = run({ tree: other, edit: { removed: ['b'], entries: [], links: [] } });
    assert.deepEqual(Object.keys(files(tree)), ['a']);
  });

  it('keeps every name that can be stored, byte for byte', () => {
    const part = fc
      .array(fc.constantFrom('a', ' ', '"', '\\', '\n', '\t', '-', '*', ':', '\x7f', 'é', '日', '.'), {
        minLength: 1,
        maxLength: 8,
      })
      .map((characters) => bytesOf(characters.join('')));
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => ['in', ...parts].join('/'));
    const tree = git(repo, 'rev-parse', 'HEAD:dir');
    fc.assert(
      fc.property(path.filter(isStorable), (name) => {
        const named = run({
          tree,
          edit: { removed: ['a', 'b'], entries: [{ path: name, mode: '100644', objectId: readme }], links: [] },
        });
        assert.deepEqual(files(named.tree), { [name]: `100644 ${readme}` });
      }),
      { numRuns: 15 },
    );
  });
});
