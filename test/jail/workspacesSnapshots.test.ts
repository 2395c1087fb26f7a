import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Workspace } from '../../src/core/workspace';
import { makeRepository } from '../unit/workspaces/sampleRepository';
import { WorkspacesFixture } from './workspacesFixture';

describe('The snapshots of a workspace', function () {
  this.timeout(60_000);
  let fixture: WorkspacesFixture;
  let workspace: Workspace;
  beforeEach(async () => {
    fixture = new WorkspacesFixture();
    workspace = await fixture.open(makeRepository(fixture.folder('repo'), { a: 'a\n', b: 'b\n', 'dir/c': 'c\n' }));
  });
  afterEach(() => fixture.dispose());

  const unlimited = Number.MAX_SAFE_INTEGER;

  function hostGit(...args: string[]): string {
    const folder = join(fixture.runFolder(workspace.runId), 'host.git');
    return execFileSync('git', ['-c', 'safe.directory=*', '--git-dir', folder, ...args], { encoding: 'utf8' }).trim();
  }

  it('cost nothing while nothing changes, and read again only what has changed', async () => {
    await fixture.agent(workspace, 'head -c 100000 /dev/zero > big; echo x > a; sleep 0.15');
    const first = await workspace.snapshot('1', { index: 1, maxNewBytes: unlimited });
    assert.equal(first.newBytes, 100_002);
    assert.deepEqual(await workspace.snapshot('again', { index: 2, maxNewBytes: 0 }), { ...first, newBytes: 0 });
    await fixture.agent(workspace, 'echo y > b');
    const second = await workspace.snapshot('2', { index: 2, maxNewBytes: 10 });
    assert.equal(second.newBytes, 2);
    assert.deepEqual(
      (await workspace.changes(first.tree, second.tree)).map(({ path }) => path),
      ['b'],
    );
  });

  it('are right whatever a quick hand changes back and forth', async () => {
    for (const [index, text] of ['1', '2', '1', '3'].entries()) {
      await fixture.agent(workspace, `printf ${text} > a; printf ${text} > dir/c`);
      const { tree } = await workspace.snapshot('x', { index: index + 1, maxNewBytes: unlimited });
      assert.deepEqual([hostGit('show', `${tree}:a`), hostGit('show', `${tree}:dir/c`)], [text, text]);
    }
  });

  it('are refused beyond what they may take, and say how much that is', async () => {
    await fixture.agent(workspace, 'head -c 5000 /dev/urandom > big');
    await assert.rejects(workspace.snapshot('x', { index: 1, maxNewBytes: 4_000 }), {
      code: 'snapshot-too-large',
      facts: { newBytes: 5_000, maxNewBytes: 4_000 },
    });
    assert.equal(hostGit('for-each-ref'), '');
  });

  it('give the disk back what they alone had when they are dropped, and nothing else', async () => {
    await fixture.agent(workspace, 'head -c 500000 /dev/urandom > big; echo x > a');
    const first = await workspace.snapshot('1', { index: 1, maxNewBytes: unlimited });
    await fixture.agent(workspace, 'rm big; echo y > b; ln -s a link');
    const second = await workspace.snapshot('2', { index: 2, maxNewBytes: unlimited });
    assert.ok((await workspace.snapshotBytes()) > 500_000);
    await workspace.dropSnapshots([1, 7]);
    assert.ok((await workspace.snapshotBytes()) < 100_000);
    assert.equal(hostGit('for-each-ref', '--format=%(refname)'), 'refs/kept/2');
    assert.throws(() => hostGit('cat-file', '-e', first.tree));
    assert.equal(hostGit('fsck', '--no-dangling'), '');
    assert.deepEqual(
      (await workspace.changes(workspace.baseTree, second.tree)).map(({ path }) => path),
      ['a', 'b', 'link'],
    );
    // What was known of dropped objects is not relied on.
    await fixture.agent(workspace, 'echo z > b');
    const third = await workspace.snapshot('3', { index: 3, maxNewBytes: unlimited });
    assert.equal(hostGit('show', `${third.tree}:a`), 'x');
  });

  it('replace what a try that did not end has left under their number', async () => {
    await fixture.agent(workspace, 'echo 1 > a');
    await workspace.snapshot('1', { index: 1, maxNewBytes: unlimited });
    await fixture.agent(workspace, 'echo 2 > a');
    const { commit } = await workspace.snapshot('2', { index: 1, maxNewBytes: unlimited });
    assert.equal(hostGit('rev-parse', 'refs/kept/1'), commit);
  });
});
