import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Workspace } from '../../src/core/workspace';
import { createJails } from '../../src/jail/jails';
import { makeRepository } from '../unit/workspaces/sampleRepository';
import { WorkspacesFixture } from './workspacesFixture';

describe('The snapshots of a workspace', function () {
  this.timeout(60_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let workspace: Workspace;
  beforeEach(async () => {
    fixture = new WorkspacesFixture({ jails });
    workspace = await fixture.open(makeRepository(fixture.folder('repo'), { a: 'a\n', b: 'b\n', 'dir/c': 'c\n' }));
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

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

describe('Restoring a workspace', function () {
  this.timeout(60_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let workspace: Workspace;
  beforeEach(async () => {
    fixture = new WorkspacesFixture({ jails });
    workspace = await fixture.open(
      makeRepository(fixture.folder('repo'), {
        a: 'a\n',
        'bin/run': { executable: '#!/bin/sh\n' },
        'dir/b': 'b\n',
        link: { link: 'a' },
        '.gitignore': '*.log\n',
        '.gitattributes': '* text eol=crlf\n',
      }),
    );
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  const listing =
    '{ find . -path ./.git -prune -o ! -type d -printf "%P %y %m %l\\n" | sort; cat a dir/* */*/* 2> /dev/null || true; }';

  it('makes every kind of file what it was, forth and back, and leaves what is ignored', async () => {
    const before = await fixture.agent(workspace, listing);
    await fixture.agent(
      workspace,
      `printf 'x\\n' > a; rm -r bin; echo file > bin; ln -sfn /etc/passwd link; mkdir -p new/deep; echo n > new/deep/n
       echo q > $'new/a "name"\\nof two lines'; rm dir/b; mkdir dir/b; echo c > dir/b/c; echo l > kept.log; echo - > ./-dash; chmod 755 a`,
    );
    const after = await fixture.agent(workspace, listing);
    const { tree } = await workspace.snapshot('changed');
    await workspace.restore(tree, workspace.baseTree);
    const restored = await fixture.agent(workspace, `rm kept.log; ${listing}; test ! -e new`);
    assert.equal(restored, before);
    assert.equal((await workspace.snapshot('restored')).tree, workspace.baseTree);
    await fixture.agent(workspace, 'echo l > kept.log');
    await workspace.restore(workspace.baseTree, tree);
    assert.equal(await fixture.agent(workspace, listing), after);
  });

  it('touches nothing that is the same, and folders that the agent has closed are no hindrance', async () => {
    await fixture.agent(workspace, 'echo x > dir/b; touch -d 2001-01-01 a; chmod 555 dir; chmod 000 bin');
    const { tree } = await workspace.snapshot('changed');
    await workspace.restore(tree, workspace.baseTree);
    assert.equal(await fixture.agent(workspace, 'cat dir/b; date -r a +%Y'), 'b\n2001\n');
  });

  it('writes nowhere else, whatever links are in its way', async () => {
    const { tree } = await workspace.snapshot('as it was');
    await fixture.agent(workspace, 'echo x > dir/b; mkdir elsewhere; echo mine > elsewhere/b');
    const changed = await workspace.snapshot('changed');
    await fixture.agent(workspace, 'rm -r dir; ln -s elsewhere dir');
    await workspace.restore(changed.tree, tree);
    assert.equal(await fixture.agent(workspace, 'cat dir/b; test ! -L dir'), 'b\n');
  });

  it('is followed by what is read of its trees, with the files gone too', async () => {
    await fixture.agent(workspace, 'echo x > a; ln -sfn dir link');
    const { tree } = await workspace.snapshot('kept', { index: 1, maxNewBytes: 1_000 });
    await workspace.remove();
    assert.equal(await fixture.workspaces.reopen(workspace.runId), undefined);
    await fixture.workspaces.removeRemains(workspace.runId);
    const trees = await fixture.workspaces.trees(workspace.runId);
    assert.ok(trees);
    const text = async (path: string) => Buffer.from((await trees.readFile(tree, path)) ?? 'none').toString();
    assert.deepEqual(await Promise.all(['a', 'link', 'dir/b', 'dir', 'no', '../a'].map(text)), [
      'x\n',
      'dir',
      'b\n',
      'none',
      'none',
      'none',
    ]);
    const { commit } = await trees.publish({ tree, branch: 'airlock/a-1-s1', message: 'x' });
    assert.equal(Buffer.from((await fixture.workspaces.readFile(trees.repo, commit, 'a')) ?? []).toString(), 'x\n');
  });
});
