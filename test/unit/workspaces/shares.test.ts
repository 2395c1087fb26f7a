import assert from 'node:assert/strict';
import { join } from 'node:path';
import { UserError } from '../../../src/base/errors';
import { resolveShares, shareMounts } from '../../../src/workspaces/shares';
import { makeTempFolder, removeFolder, writeFiles } from './sampleRepository';

const entry = { mode: '100644', objectId: '1'.repeat(40) } as const;

describe('Shared folders', () => {
  let top: string;
  let root: string;

  beforeEach(() => {
    top = makeTempFolder();
    root = join(top, 'repo');
    writeFiles(root, { 'node_modules/a/index.js': '', 'a/b/.venv/x': '', 'README.md': '' });
  });
  afterEach(() => removeFolder(top));

  const resolve = (...paths: string[]) => resolveShares(root, paths, new Map([['README.md', entry]]));

  it('are found where the configuration says', async () => {
    assert.deepEqual(await resolve('node_modules', 'a/b/.venv'), {
      shares: [
        { path: 'node_modules', folder: join(root, 'node_modules') },
        { path: 'a/b/.venv', folder: join(root, 'a/b/.venv') },
      ],
      notes: [],
    });
  });

  it('may be links to folders inside the repository', async () => {
    writeFiles(root, { linked: { link: 'a/b' } });
    assert.deepEqual((await resolve('linked')).shares, [{ path: 'linked', folder: join(root, 'a/b') }]);
  });

  it('are left out, and that is said, when they are not there', async () => {
    assert.deepEqual(await resolve('vendor'), {
      shares: [],
      notes: ['The shared folder vendor is not there, so jails do not have it.'],
    });
  });

  it('are left out, and that is said, when the base has something at their place', async () => {
    for (const committed of ['node_modules', 'node_modules/a/index.js']) {
      const resolved = await resolveShares(root, ['node_modules'], new Map([[committed, entry]]));
      assert.deepEqual(resolved.shares, []);
      assert.deepEqual(resolved.notes, ['node_modules is committed, so it is checked out and not shared.']);
    }
    const below = await resolveShares(root, ['a/b/.venv'], new Map([['a', { ...entry, mode: '120000' as const }]]));
    assert.deepEqual(below.shares, []);
  });

  it('are refused when they lead out of the repository, into .git, or to a file', async () => {
    writeFiles(top, { 'secrets/key': 's', 'repo-beside/x': '' });
    writeFiles(root, {
      out: { link: '../secrets' },
      beside: { link: '../repo-beside' },
      self: { link: '.' },
      '.git/config': '',
      inside: { link: '.git' },
      file: 'x',
    });
    for (const path of ['out', 'beside', 'self', 'inside', 'file']) {
      await assert.rejects(
        resolve(path),
        (error) => error instanceof UserError && error.code === 'config-invalid',
        path,
      );
    }
  });

  it('are mounted in the workspace and at the path that they have on the host', async () => {
    const checkedOut = join(top, 'checked-out');
    writeFiles(checkedOut, { 'node_modules/.keep': '' });
    const { shares } = await resolve('node_modules');
    assert.deepEqual(await shareMounts(checkedOut, root, shares), [
      { from: join(root, 'node_modules'), at: '/workspace/node_modules', access: 'read' },
      { from: join(root, 'node_modules'), at: join(root, 'node_modules'), access: 'read' },
    ]);
  });

  it('are mounted once when the repository is where the workspace is', async () => {
    const checkedOut = join(top, 'checked-out');
    writeFiles(checkedOut, { 'node_modules/.keep': '' });
    const shares = [{ path: 'node_modules', folder: join(root, 'node_modules') }];
    assert.deepEqual(
      (await shareMounts(checkedOut, '/workspace', shares)).map(({ at }) => at),
      ['/workspace/node_modules'],
    );
  });

  it('are not mounted where the checked-out tree has a link or nothing', async () => {
    const checkedOut = join(top, 'checked-out');
    writeFiles(checkedOut, { a: { link: top }, node_modules: { link: '/etc' } });
    const { shares } = await resolve('node_modules', 'a/b/.venv');
    assert.deepEqual(await shareMounts(checkedOut, root, shares), []);
  });
});
