import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors';
import type { Workspace } from '../../src/core/workspace';
import { createJails } from '../../src/jail/jails';
import { commitAll, git, makeRepository, writeFiles } from '../unit/workspaces/sampleRepository';
import { FakeClock } from '../fakes/clock';
import { contentsOf, WorkspacesFixture } from './workspacesFixture';

describe('A published result', function () {
  // Many jails, on machines that may be busy.
  this.timeout(60_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let repo: string;
  beforeEach(() => {
    fixture = new WorkspacesFixture({ jails });
    repo = makeRepository(fixture.folder('repo'), { a: 'a\n', 'dir/b': 'b\n' });
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  async function changed(
    script = 'echo more >> a; echo new > dir/new',
  ): Promise<{ workspace: Workspace; tree: string }> {
    const workspace = await fixture.open(repo);
    await fixture.agent(workspace, script);
    return { workspace, tree: (await workspace.snapshot('x')).tree };
  }

  async function codeOf(result: Promise<unknown>): Promise<string | undefined> {
    return result.then(
      () => undefined,
      (error: unknown) => (error instanceof UserError ? error.code : String(error)),
    );
  }

  it('is one commit on the base, by Airlock, with the message as it was given', async () => {
    const clock = new FakeClock(1_700_000_000_000);
    const workspace = await fixture.workspacesWith({ clock }).create({ runId: 'run-1', repo });
    await fixture.agent(workspace, 'echo more >> a; git commit -qam one; git commit -q --allow-empty -m two');
    const { tree } = await workspace.snapshot('x');
    const message = 'Grün: do it\n\nTask: t-1\nVerdict: verified\n';
    const { commit } = await workspace.publish({ tree, branch: 'airlock/t-1', message });
    assert.equal(
      git(repo, 'cat-file', 'commit', 'airlock/t-1'),
      [
        `tree ${tree}`,
        `parent ${workspace.baseCommit}`,
        'author Airlock <airlock@localhost> 1700000000 +0000',
        'committer Airlock <airlock@localhost> 1700000000 +0000',
        '',
        message.trimEnd(),
      ].join('\n'),
    );
    assert.equal(git(repo, 'rev-parse', 'airlock/t-1'), commit);
  });

  it('adds a branch, its reflog and one pack, and changes nothing else: no hook, index, HEAD, file or other ref', async () => {
    const seen = fixture.folder('hook-ran');
    writeFiles(repo, { a: 'edited, not committed\n', staged: 's\n' });
    git(repo, 'add', 'staged');
    git(repo, 'stash', 'push', '-q', 'a');
    const hooks = [
      'reference-transaction',
      'post-update',
      'pre-commit',
      'post-commit',
      'post-index-change',
      'update',
      'fsmonitor-watchman',
    ];
    for (const name of hooks) {
      for (const folder of ['.git/hooks', '.husky']) {
        writeFiles(repo, { [`${folder}/${name}.new`]: '' });
        const hook = join(repo, folder, name);
        writeFileSync(hook, `#!/bin/sh\necho ${name} >> '${seen}'\n`);
        chmodSync(hook, 0o755);
      }
    }
    const { workspace, tree } = await changed();
    git(repo, 'config', 'core.hooksPath', '.husky');
    git(repo, 'config', 'core.fsmonitor', join(repo, '.husky/fsmonitor-watchman'));
    const before = contentsOf(repo);
    const { commit } = await workspace.publish({ tree, branch: 'airlock/t-1', message: 'x\n' });
    const after = contentsOf(repo);
    const added = Object.keys(after).filter((path) => !(path in before));
    const other = Object.fromEntries(Object.entries(after).filter(([path]) => path in before));
    assert.deepEqual(other, before);
    assert.deepEqual(
      added.map((path) => path.replace(/pack-[0-9a-f]+/, 'pack-X')),
      [
        '.git/logs/refs/heads/airlock/',
        '.git/logs/refs/heads/airlock/t-1',
        '.git/objects/pack/pack-X.idx',
        '.git/objects/pack/pack-X.pack',
        ...(added.some((path) => path.endsWith('.rev')) ? ['.git/objects/pack/pack-X.rev'] : []),
        '.git/refs/heads/airlock/',
        '.git/refs/heads/airlock/t-1',
      ],
    );
    assert.equal(existsSync(seen), false);
    git(repo, 'config', '--unset', 'core.fsmonitor');
    git(repo, '-c', 'core.hooksPath=/dev/null', 'fsck', '--strict');
    assert.equal(git(repo, 'rev-parse', 'airlock/t-1'), commit);
  });

  it('holds nothing of a run but the result: no snapshot, no other file', async () => {
    const { workspace } = await changed('echo SECRET > leaked');
    const leaked = await workspace.snapshot('leaked');
    const blob = (await fixture.agent(workspace, 'git hash-object leaked; rm leaked; echo fine >> a')).trim();
    const { tree } = await workspace.snapshot('clean');
    assert.notEqual(tree, leaked.tree);
    await workspace.publish({ tree, branch: 'airlock/t-1', message: 'x\n' });
    assert.throws(() => git(repo, 'cat-file', '-e', blob));
    assert.equal(git(repo, 'for-each-ref', '--format=%(refname)'), 'refs/heads/airlock/t-1\nrefs/heads/main');
  });

  it('is published once: doing it again answers the same commit', async () => {
    const { workspace, tree } = await changed();
    const first = await workspace.publish({ tree, branch: 'airlock/t-1', message: 'x\n' });
    const before = contentsOf(repo);
    const reopened = await fixture.workspaces.reopen(workspace.runId);
    const again = await reopened?.publish({ tree, branch: 'airlock/t-1', message: 'other words\n' });
    assert.deepEqual([again, contentsOf(repo)], [first, before]);
  });

  it('may be published at the same time as others', async () => {
    const { workspace, tree } = await changed();
    const branches = ['airlock/t-1', 'airlock/t-2', 'airlock/t-3'];
    const commits = await Promise.all(
      branches.map((branch) => workspace.publish({ tree, branch, message: `${branch}\n` })),
    );
    assert.deepEqual(
      commits.map(({ commit }) => commit),
      branches.map((branch) => git(repo, 'rev-parse', branch)),
    );
    assert.deepEqual(
      branches.map((branch) => git(repo, 'log', '-1', '--format=%s', branch)),
      branches,
    );
    assert.deepEqual(git(repo, 'branch', '--list', 'airlock/*', '--format=%(refname:short)').split('\n'), branches);
  });

  it('may be the base itself', async () => {
    const { workspace } = await changed('true');
    const { commit } = await workspace.publish({ tree: workspace.baseTree, branch: 'airlock/t-1', message: 'x\n' });
    assert.equal(git(repo, 'rev-parse', `${commit}^{tree}`), workspace.baseTree);
  });

  it('is refused when the branch is there and holds something else', async () => {
    const { workspace, tree } = await changed();
    git(repo, 'branch', 'airlock/t-1');
    git(repo, 'branch', 'airlock/t-2/more');
    assert.equal(await codeOf(workspace.publish({ tree, branch: 'airlock/t-1', message: 'x' })), 'branch-exists');
    assert.equal(await codeOf(workspace.publish({ tree, branch: 'airlock/t-2', message: 'x' })), 'branch-exists');
    assert.equal(git(repo, 'rev-parse', 'airlock/t-1'), workspace.baseCommit);
  });

  it('is refused when a branch of the user has the name of the namespace', async () => {
    const { workspace, tree } = await changed();
    git(repo, 'branch', 'airlock');
    await assert.rejects(workspace.publish({ tree, branch: 'airlock/t-1', message: 'x' }), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, 'branch-namespace-taken');
      assert.match(error.message, /git branch -m airlock <new name>/);
      return true;
    });
  });

  it('is refused under a name that cannot be a branch', async () => {
    const { workspace, tree } = await changed();
    for (const branch of [
      'airlock/a..b',
      'airlock/x.lock',
      'airlock/',
      'airlock/a b',
      'airlock/~',
      '',
      'airlock/a\nb',
    ]) {
      assert.equal(await codeOf(workspace.publish({ tree, branch, message: 'x' })), 'branch-name-invalid', branch);
    }
  });

  it('is refused, and leaves the repository as it is, when git takes it for an attack', async () => {
    const { workspace, tree } = await changed('ln -s a .gitmodules');
    const before = contentsOf(repo);
    assert.equal(await codeOf(workspace.publish({ tree, branch: 'airlock/t-1', message: 'x' })), 'result-invalid');
    assert.deepEqual(contentsOf(repo), before);
  });

  it('is refused, and kept, when the base is gone or nothing can be written', async () => {
    const { workspace, tree } = await changed();
    git(repo, 'checkout', '-q', '--orphan', 'other');
    commitAll(repo, 'other');
    git(repo, 'branch', '-q', '-D', 'main');
    git(repo, 'reflog', 'expire', '--expire=now', '--all');
    git(repo, 'gc', '-q', '--prune=now');
    assert.equal(await codeOf(workspace.publish({ tree, branch: 'airlock/t-1', message: 'x' })), 'missing-objects');
    const locked = makeRepository(fixture.folder('locked'));
    const another = await fixture.open(locked);
    await fixture.agent(another, 'echo x > x');
    const snapshot = await another.snapshot('x');
    // A file where git wants a folder stops root too.
    writeFiles(locked, { '.git/refs/heads/airlock.lock/x': '', '.git/logs/refs/heads/airlock': '' });
    assert.equal(
      await codeOf(another.publish({ tree: snapshot.tree, branch: 'airlock/t-1', message: 'x' })),
      'publish-failed',
    );
    assert.equal((await another.snapshot('still there')).tree, snapshot.tree);
  });

  it('belongs to the owner of the repository, who can delete it, when the host is root', async function () {
    if (process.getuid?.() !== 0) {
      console.log('    (skipped: only root can make files of another account)');
      return this.skip();
    }
    const owner = 54_321;
    chmodSync(fixture.top, 0o755);
    execFileSync('chown', ['-R', `${owner}:${owner}`, repo]);
    const { workspace, tree } = await changed();
    await workspace.publish({ tree, branch: 'airlock/t-1', message: 'x\n' });
    const owners = execFileSync('find', [repo, '-printf', '%U\n'], { encoding: 'utf8' }).trim().split('\n');
    assert.deepEqual([...new Set(owners)], [String(owner)]);
    assert.equal(statSync(join(repo, '.git/refs/heads/airlock/t-1')).uid, owner);
  });

  it('can be read from the repository: its files and what they change', async () => {
    const { workspace, tree } = await changed(
      "echo more >> a; git mv dir/b 'dir/c\nd'; ln -s a link; printf '\\0\\377' > bin",
    );
    const { commit } = await workspace.publish({ tree, branch: 'airlock/t-1', message: 'x\n' });
    const read = async (path: string) => {
      const bytes = await fixture.workspaces.readFile(repo, commit, path);
      return bytes && Buffer.from(bytes).toString('latin1');
    };
    assert.deepEqual(
      await Promise.all(['a', 'dir/c\nd', 'link', 'bin', 'dir/b', 'dir', '', '../a', '/etc/passwd', '*'].map(read)),
      ['a\nmore\n', 'b\n', 'a', '\0\xff', undefined, undefined, undefined, undefined, undefined, undefined],
    );
    assert.deepEqual(await fixture.workspaces.changes(repo, workspace.baseCommit, commit), [
      { path: 'a', oldPath: null, kind: 'modified', insertions: 1, deletions: 0 },
      { path: 'bin', oldPath: null, kind: 'added', insertions: null, deletions: null },
      { path: 'dir/c\nd', oldPath: 'dir/b', kind: 'renamed', insertions: 0, deletions: 0 },
      { path: 'link', oldPath: null, kind: 'added', insertions: 1, deletions: 0 },
    ]);
  });
});
