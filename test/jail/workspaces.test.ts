import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, UserError } from '../../src/base/errors';
import { newId } from '../../src/base/ids';
import { createJails } from '../../src/jail/jails';
import { commitAll, git, makeRepository, writeFiles } from '../unit/workspaces/sampleRepository';
import { contentsOf, WorkspacesFixture } from './workspacesFixture';

describe('A workspace', function () {
  // Many jails, on machines that may be busy.
  this.timeout(60_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  beforeEach(() => {
    fixture = new WorkspacesFixture({ jails });
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  const sample = {
    'README.md': 'hello\n',
    'src/a.js': 'a\n',
    'src/b.js': 'b\n',
    'bin/run': { executable: '#!/bin/sh\necho ran\n' },
    link: { link: 'src/a.js' },
    outside: { link: '/etc/passwd' },
    '.gitignore': 'dist/\n*.log\n',
  };

  it('is what the last commit has: modes and links too, and nothing that is not committed', async () => {
    const repo = makeRepository(fixture.folder('repo'), sample);
    writeFiles(repo, { 'README.md': 'edited\n', 'new.txt': 'new\n', 'dist/x': 'x' });
    const workspace = await fixture.open(repo);
    const seen = await fixture.agent(workspace, 'cat README.md; ./bin/run; readlink link outside; ls -A');
    assert.equal(seen, 'hello\nran\nsrc/a.js\n/etc/passwd\n.git\n.gitignore\nREADME.md\nbin\nlink\noutside\nsrc\n');
    assert.equal(workspace.repo, repo);
    assert.equal(workspace.baseCommit, git(repo, 'rev-parse', 'HEAD'));
    assert.deepEqual(workspace.config, { checks: [], setup: null, share: [] });
    assert.equal(workspace.notes.length, 1);
  });

  it('leaves the repository as it is, to the byte', async () => {
    const repo = makeRepository(fixture.folder('repo'), sample);
    writeFiles(repo, { 'README.md': 'edited\n' });
    const before = contentsOf(repo);
    const workspace = await fixture.open(repo);
    await fixture.agent(workspace, 'echo x > README.md; git commit -qam mine');
    await workspace.checkTree((await workspace.snapshot('x')).tree);
    await workspace.remove();
    assert.deepEqual(contentsOf(repo), before);
  });

  it('has a git of its own for the agent: one commit, no remote, no history, free to use', async () => {
    const repo = makeRepository(fixture.folder('repo'), { key: 'SECRET\n' });
    const secret = git(repo, 'rev-parse', 'HEAD:key');
    writeFiles(repo, { key: 'none\n' });
    git(repo, 'commit', '-qa', '--amend', '-m', 'without the key');
    git(repo, 'remote', 'add', 'origin', 'https://example.org/x.git');
    const workspace = await fixture.open(repo);
    const seen = await fixture.agent(
      workspace,
      `git status --porcelain; git log --format=%s; git remote; git branch --show-current
       git cat-file -e ${secret} 2> /dev/null && echo leaked
       echo y > y; git add y; git commit -qm mine; git checkout -q -b other; echo z > key; git stash -q; git stash list | wc -l
       git log --format='%an %s' | head -1; git fsck`,
    );
    assert.equal(seen, 'without the key\nmain\n1\nAgent mine\n');
  });

  it('is stored as the base tree while nothing has changed', async () => {
    const workspace = await fixture.open(makeRepository(fixture.folder('repo'), sample));
    const snapshot = await workspace.snapshot('nothing');
    assert.deepEqual([snapshot.tree, snapshot.skipped], [workspace.baseTree, []]);
  });

  it('is stored with every kind of change, and the change can be read', async () => {
    const workspace = await fixture.open(makeRepository(fixture.folder('repo'), sample));
    await fixture.agent(
      workspace,
      `echo more >> README.md; rm src/b.js; chmod +x src/a.js; ln -sfn /root link; rm -rf bin; echo file > bin
       mkdir -p new/deep; echo n > $'new/deep/a "name"\\nof two lines'; echo d > ./-dash; echo é > grün; touch empty
       echo l > x.log; mkdir dist; echo o > dist/out.js; git add -A; git commit -qm 'what the agent commits does not matter'`,
    );
    const { tree, skipped } = await workspace.snapshot('changed');
    assert.deepEqual(skipped, []);
    const change = (path: string, kind: string, insertions: number, deletions: number) => ({
      path,
      oldPath: null,
      kind,
      insertions,
      deletions,
    });
    assert.deepEqual(await workspace.changes(workspace.baseTree, tree), [
      change('-dash', 'added', 1, 0),
      change('README.md', 'modified', 1, 0),
      change('bin', 'added', 1, 0),
      change('bin/run', 'deleted', 0, 2),
      change('empty', 'added', 0, 0),
      change('grün', 'added', 1, 0),
      change('link', 'modified', 1, 1),
      change('new/deep/a "name"\nof two lines', 'added', 1, 0),
      change('src/a.js', 'modified', 0, 0),
      change('src/b.js', 'deleted', 0, 1),
    ]);
  });

  it('is stored as it is, not as it was: a second snapshot owes nothing to the first', async () => {
    const workspace = await fixture.open(makeRepository(fixture.folder('repo'), sample));
    await fixture.agent(workspace, 'echo 1 > new; echo x >> README.md');
    const first = await workspace.snapshot('first');
    await fixture.agent(workspace, 'echo new >> .gitignore; git checkout -q README.md');
    const second = await workspace.snapshot('second');
    const paths = async (tree: string) => (await workspace.changes(workspace.baseTree, tree)).map(({ path }) => path);
    assert.deepEqual(await paths(first.tree), ['README.md', 'new']);
    assert.deepEqual(await paths(second.tree), ['.gitignore']);
  });

  it('is stored right when an edit keeps size and time', async () => {
    const workspace = await fixture.open(makeRepository(fixture.folder('repo'), sample));
    await fixture.agent(workspace, 'touch -r src/a.js /tmp/t; echo z > src/a.js; touch -r /tmp/t src/a.js');
    const { tree } = await workspace.snapshot('edited');
    assert.deepEqual(
      (await workspace.changes(workspace.baseTree, tree)).map(({ path }) => path),
      ['src/a.js'],
    );
  });

  it('may be emptied', async () => {
    const workspace = await fixture.open(makeRepository(fixture.folder('repo'), sample));
    await fixture.agent(workspace, 'git rm -rqf . ; rm -rf -- * .gitignore; ls -A');
    const { tree } = await workspace.snapshot('empty');
    assert.equal(
      (await workspace.changes(workspace.baseTree, tree)).every(({ kind }) => kind === 'deleted'),
      true,
    );
  });

  it("honours nested .gitignore files and the user's own info/exclude", async () => {
    const repo = makeRepository(fixture.folder('repo'), { ...sample, 'src/.gitignore': '!keep.log\ntmp\n' });
    writeFileSync(join(repo, '.git/info/exclude'), '*.private\n');
    const workspace = await fixture.open(repo);
    await fixture.agent(
      workspace,
      'touch a.log src/keep.log src/b.log src/x.private; mkdir src/tmp tmp; touch src/tmp/x tmp/y',
    );
    const { tree } = await workspace.snapshot('ignored');
    assert.deepEqual(
      (await workspace.changes(workspace.baseTree, tree)).map(({ path }) => path),
      ['src/keep.log', 'tmp/y'],
    );
  });

  it('converts nothing: line ends stay, filters do not run, LFS files stay pointers', async () => {
    const repo = fixture.folder('repo');
    makeRepository(repo, {
      'crlf.txt': 'a\r\nb\r\n',
      'lf.txt': 'a\nb\n',
      'x.bin': 'version https://git-lfs.github.com/spec/v1\n',
    });
    writeFiles(repo, {
      '.gitattributes': '*.txt text eol=crlf\n*.bin filter=lfs\nlf.txt ident working-tree-encoding=UTF-16\n',
    });
    git(repo, 'add', '.gitattributes');
    git(repo, 'commit', '-qm', 'attributes');
    const workspace = await fixture.open(repo);
    assert.equal(
      await fixture.agent(workspace, 'cat crlf.txt lf.txt x.bin'),
      'a\r\nb\r\na\nb\nversion https://git-lfs.github.com/spec/v1\n',
    );
    await fixture.agent(workspace, 'printf "n\\r\\n" > new.txt');
    const { tree } = await workspace.snapshot('new');
    const { commit } = await workspace.publish({ tree, branch: 'airlock/a-1', message: 'x' });
    const file = await fixture.workspaces.readFile(repo, commit, 'new.txt');
    assert.equal(Buffer.from(file ?? []).toString(), 'n\r\n');
  });

  it('has submodules as empty folders, and a result that leaves them alone', async () => {
    const lib = makeRepository(fixture.folder('lib'));
    const repo = makeRepository(fixture.folder('repo'));
    git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib, 'lib');
    commitAll(repo, 'submodule');
    const workspace = await fixture.open(repo);
    assert.equal(
      await fixture.agent(workspace, 'ls -A lib; git status --porcelain; git init -q lib; echo x > lib/x; echo y > y'),
      '',
    );
    const { tree, skipped } = await workspace.snapshot('x');
    assert.deepEqual(
      (await workspace.changes(workspace.baseTree, tree)).map(({ path }) => path),
      ['y'],
    );
    assert.deepEqual(skipped, [
      { path: 'lib/.git', reason: 'nested-repository' },
      { path: 'lib/x', reason: 'nested-repository' },
    ]);
    const check = await workspace.checkTree(tree);
    assert.equal(await fixture.inJail(workspace, check.mounts, 'ls -A lib; ls'), 'README.md\nlib\ny\n');
  });

  for (const [what, prepare] of Object.entries({
    'uses SHA-256': (repo: string) => makeRepository(repo, sample, '--object-format=sha256'),
    'is a linked worktree': (repo: string) => {
      const main = makeRepository(fixture.folder('main'), sample);
      git(main, 'worktree', 'add', '-q', repo);
      return repo;
    },
    'is a worktree of a bare one': (repo: string) => {
      makeRepository(fixture.folder('main'), sample);
      git(fixture.top, 'clone', '-q', '--bare', 'main', 'bare.git');
      git(fixture.folder('bare.git'), 'worktree', 'add', '-q', repo, 'main');
      return repo;
    },
    'is a shallow clone': (repo: string) => {
      const main = makeRepository(fixture.folder('main'), sample);
      writeFiles(main, { 'README.md': 'second\n' });
      commitAll(main, 'second');
      git(fixture.top, 'clone', '-q', '--depth=1', `file://${main}`, repo);
      return repo;
    },
    'is a partial clone that has all it needs': (repo: string) => {
      const main = makeRepository(fixture.folder('main'), sample);
      git(main, 'config', 'uploadpack.allowFilter', 'true');
      git(fixture.top, 'clone', '-q', '--filter=blob:none', `file://${main}`, repo);
      return repo;
    },
    'borrows objects from another one': (repo: string) => {
      makeRepository(fixture.folder('main'), sample);
      git(fixture.top, 'clone', '-q', '--shared', 'main', repo);
      return repo;
    },
    'has packed its objects and refs': (repo: string) => {
      makeRepository(repo, sample);
      git(repo, 'gc', '-q');
      return repo;
    },
    'has a detached HEAD': (repo: string) => {
      makeRepository(repo, sample);
      git(repo, 'checkout', '-q', '--detach');
      return repo;
    },
  })) {
    it(`works, and publishes, when the repository ${what}`, async () => {
      const repo = prepare(fixture.folder('repo'));
      const workspace = await fixture.open(repo);
      await fixture.agent(workspace, 'echo more >> src/a.js');
      const { tree } = await workspace.snapshot('more');
      const check = await workspace.checkTree(tree);
      assert.equal(await fixture.inJail(workspace, check.mounts, 'cat src/a.js'), 'a\nmore\n');
      const { commit } = await workspace.publish({ tree, branch: 'airlock/t-1', message: 'More\n' });
      assert.equal(git(repo, 'rev-parse', 'airlock/t-1'), commit);
      assert.equal(git(repo, 'show', 'airlock/t-1:src/a.js'), 'a\nmore');
      assert.equal(git(repo, 'rev-parse', 'airlock/t-1^'), workspace.baseCommit);
      git(repo, 'fsck', '--strict', '--connectivity-only');
    });
  }

  it('is refused for a partial clone that misses files, which are not fetched', async () => {
    const main = makeRepository(fixture.folder('main'), sample);
    git(main, 'config', 'uploadpack.allowFilter', 'true');
    git(fixture.top, 'clone', '-q', '--no-checkout', '--filter=blob:none', `file://${main}`, 'partial');
    const partial = fixture.folder('partial');
    const before = contentsOf(join(partial, '.git'));
    await assert.rejects(fixture.open(partial), (error) => {
      assert.ok(error instanceof UserError);
      assert.deepEqual([error.code, error.facts['missing']], ['missing-objects', 7]);
      return true;
    });
    assert.deepEqual(contentsOf(join(partial, '.git')), before);
    assert.deepEqual(readdirSync(join(fixture.storage, 'runs')), []);
  });

  it('is refused, with nothing left over, when an object of the commit is missing or the configuration is bad', async () => {
    const broken = makeRepository(fixture.folder('broken'), sample);
    const blob = git(broken, 'rev-parse', 'HEAD:src/a.js');
    rmSync(join(broken, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    const bad = makeRepository(fixture.folder('bad'), { '.airlock/config.yaml': 'checks: 7\n' });
    const linked = makeRepository(fixture.folder('linked'), { '.airlock/config.yaml': { link: '/etc/hostname' } });
    const codeOf = (repo: string) =>
      fixture.open(repo).catch((error: unknown) => error instanceof UserError && error.code);
    assert.equal(await codeOf(broken), 'missing-objects');
    assert.equal(await codeOf(bad), 'config-invalid');
    assert.equal(await codeOf(linked), 'config-invalid');
    assert.deepEqual(readdirSync(join(fixture.storage, 'runs')), []);
  });

  it('has the configuration of the commit, whatever the folder says', async () => {
    const repo = makeRepository(fixture.folder('repo'), { '.airlock/config.yaml': 'checks: [npm test]\n' });
    writeFiles(repo, { '.airlock/config.yaml': 'checks: ["true"]\n' });
    const workspace = await fixture.open(repo);
    assert.deepEqual(workspace.config, { checks: ['npm test'], setup: null, share: [] });
  });

  describe('with shared folders', () => {
    const config = {
      '.airlock/config.yaml': 'share: [node_modules, packages/a/.venv, missing]\n',
      'packages/a/x': 'x\n',
    };

    it('has them read-only, at both places, in the jails of run and check, and in no snapshot', async () => {
      const repo = makeRepository(fixture.folder('repo'), config);
      writeFiles(repo, {
        'node_modules/m/index.js': 'm\n',
        'packages/a/.venv/bin/tool': { executable: '#!/bin/sh\necho tool\n' },
      });
      const workspace = await fixture.open(repo);
      assert.deepEqual(workspace.notes.slice(1), ['The shared folder missing is not there, so jails do not have it.']);
      const look = `cat node_modules/m/index.js; packages/a/.venv/bin/tool; ${repo}/packages/a/.venv/bin/tool
        (echo x > node_modules/m/new) 2> /dev/null || echo read-only; ls -A packages/a`;
      const seen = 'm\ntool\ntool\nread-only\n.venv\nx\n';
      assert.equal(await fixture.agent(workspace, look), seen);
      const { tree, skipped } = await workspace.snapshot('shared');
      assert.deepEqual([tree, skipped], [workspace.baseTree, []]);
      const check = await workspace.checkTree(tree);
      assert.equal(await fixture.inJail(workspace, check.mounts, look), seen);
      assert.deepEqual(readdirSync(join(repo, 'node_modules/m')), ['index.js']);
    });

    it('does not mount one where the tree to be checked has a link, or a file', async () => {
      const repo = makeRepository(fixture.folder('repo'), config);
      writeFiles(repo, { 'node_modules/m': 'm', 'packages/a/.venv/x': 'x' });
      const workspace = await fixture.open(repo);
      await fixture.agent(workspace, 'mv packages other; ln -s /oldroot/tmp packages');
      const check = await workspace.checkTree((await workspace.snapshot('link')).tree);
      const places = check.mounts.map(({ at }) => at);
      assert.deepEqual(places, ['/workspace', '/workspace/node_modules', join(repo, 'node_modules')]);
    });
  });

  describe('as a tree to be checked', () => {
    it('is fresh: the tree and nothing else, the same each time, and apart from the workspace', async () => {
      const workspace = await fixture.open(makeRepository(fixture.folder('repo'), sample));
      await fixture.agent(workspace, 'mkdir dist; echo x > dist/x; echo 2 > two');
      const { tree } = await workspace.snapshot('two');
      const [one, two, base] = await Promise.all(
        [tree, tree, workspace.baseTree].map((each) => workspace.checkTree(each)),
      );
      assert.ok(one && two && base);
      assert.equal(
        await fixture.inJail(workspace, one.mounts, './bin/run; echo spoilt > README.md; echo s > new; ls -A'),
        'ran\n.gitignore\nREADME.md\nbin\nlink\nnew\noutside\nsrc\ntwo\n',
      );
      assert.equal(
        await fixture.inJail(workspace, two.mounts, 'cat README.md; ls -A'),
        'hello\n.gitignore\nREADME.md\nbin\nlink\noutside\nsrc\ntwo\n',
      );
      assert.equal(await fixture.inJail(workspace, base.mounts, 'ls'), 'README.md\nbin\nlink\noutside\nsrc\n');
      await Promise.all([one, two, base].map((each) => each.remove()));
      assert.deepEqual(readdirSync(join(fixture.runFolder(workspace.runId), 'checks')), []);
    });

    it('has the check surface of the base when it is restored', async () => {
      const repo = makeRepository(fixture.folder('repo'), {
        'src/a.js': 'a\n',
        'tests/a.test.js': 'test\n',
        'tests/data/x': 'x\n',
        'package.json': '{}\n',
        'conftest.py': 'c\n',
      });
      const workspace = await fixture.open(repo);
      await fixture.agent(
        workspace,
        `echo b > src/a.js; echo b > src/b.js; echo '{"cheat":1}' > package.json; echo 'node-options=--require=./x' > .npmrc
         rm -rf tests; ln -s src tests; rm conftest.py; mkdir conftest.py; echo x > conftest.py/x; echo x > src/new.test.js`,
      );
      const { tree } = await workspace.snapshot('cheat');
      const restored = await workspace.restoreCheckSurface(tree);
      assert.deepEqual(
        (await workspace.changes(workspace.baseTree, restored)).map(({ path, kind }) => `${kind} ${path}`),
        ['modified src/a.js', 'added src/b.js'],
      );
    });

    it('is restored as it is when nothing of the surface has changed', async () => {
      const workspace = await fixture.open(makeRepository(fixture.folder('repo'), sample));
      await fixture.agent(workspace, 'echo b > src/a.js');
      const { tree } = await workspace.snapshot('honest');
      assert.equal(await workspace.restoreCheckSurface(tree), tree);
    });
  });

  describe('after a restart', () => {
    it('is there again as it was, and checks that were running are gone', async () => {
      const repo = makeRepository(fixture.folder('repo'), {
        ...sample,
        '.airlock/config.yaml': 'share: [node_modules]\n',
      });
      writeFiles(repo, { 'node_modules/x': 'x' });
      const workspace = await fixture.open(repo);
      await fixture.agent(workspace, 'echo x >> README.md');
      await workspace.checkTree(workspace.baseTree);
      const again = await fixture.workspacesWith({}).reopen(workspace.runId);
      assert.ok(again);
      const publicParts = ({ runId, baseCommit, baseTree, config, notes, mounts }: typeof again) => {
        return { runId, repo: workspace.repo, baseCommit, baseTree, config, notes, mounts };
      };
      assert.deepEqual(publicParts(again), publicParts(workspace));
      assert.equal((await again.snapshot('again')).tree, (await workspace.snapshot('before')).tree);
      assert.deepEqual(readdirSync(join(fixture.runFolder(workspace.runId), 'checks')), []);
    });

    it('goes on where a git was killed that had something locked', async () => {
      const repo = makeRepository(fixture.folder('repo'), sample);
      const workspace = await fixture.open(repo);
      await workspace.snapshot('before');
      const hostGit = join(fixture.runFolder(workspace.runId), 'host.git');
      const kept = readdirSync(join(hostGit, 'refs'), { recursive: true, encoding: 'utf8' });
      for (const name of ['HEAD', 'index', 'packed-refs', 'refs/kept/1', ...kept.map((ref) => `refs/${ref}`)])
        writeFiles(hostGit, { [`${name}.lock`]: '' });
      const again = (await fixture.workspaces.reopen(workspace.runId)) ?? assert.fail('it is gone');
      writeFiles(join(fixture.runFolder(workspace.runId), 'workspace'), { 'more.txt': 'more' });
      assert.notEqual((await again.snapshot('after')).tree, workspace.baseTree);
      const left = readdirSync(hostGit, { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        left.filter((name) => name.endsWith('.lock')),
        [],
      );
    });

    it('is not there when it is not whole', async () => {
      const repo = makeRepository(fixture.folder('repo'), sample);
      for (const part of ['workspace', 'host.git', 'agent.git', 'workspace.json']) {
        const { runId } = await fixture.open(repo);
        rmSync(join(fixture.runFolder(runId), part), { recursive: true });
        assert.equal(await fixture.workspaces.reopen(runId), undefined, part);
      }
      assert.equal(await fixture.workspaces.reopen(newId('run')), undefined);
      const { runId } = await fixture.open(repo);
      writeFileSync(join(fixture.runFolder(runId), 'workspace.json'), '{"version":1');
      assert.equal(await fixture.workspaces.reopen(runId), undefined);
    });

    it('is made anew over what a creation left that did not end', async () => {
      const repo = makeRepository(fixture.folder('repo'), sample);
      const { runId } = await fixture.open(repo);
      rmSync(join(fixture.runFolder(runId), 'workspace.json'));
      writeFiles(fixture.runFolder(runId), { 'workspace/left': 'x', 'session/kept': 'x' });
      const workspace = await fixture.workspaces.create({ runId, repo });
      assert.equal((await workspace.snapshot('x')).tree, workspace.baseTree);
      assert.ok(existsSync(join(fixture.runFolder(runId), 'session/kept')));
    });

    it('is never made twice', async () => {
      const repo = makeRepository(fixture.folder('repo'), sample);
      const { runId } = await fixture.open(repo);
      await assert.rejects(fixture.workspaces.create({ runId, repo }), { code: 'workspace-exists' });
      assert.ok(await fixture.workspaces.reopen(runId));
    });
  });

  it('leaves nothing when its creation is cancelled', async () => {
    const repo = makeRepository(fixture.folder('repo'), sample);
    for (const delayMs of [0, 5, 15, 30]) {
      const runId = newId('run');
      const signal = AbortSignal.timeout(delayMs);
      await assert.rejects(
        fixture.workspaces.create({ runId, repo, signal }),
        (error) => error instanceof CancelledError,
        `after ${delayMs} ms`,
      );
      assert.equal(existsSync(fixture.runFolder(runId)), false);
    }
  });

  it('is cancelled too where it is made anew with a result', async () => {
    const repo = makeRepository(fixture.folder('repo'), sample);
    const { runId, baseCommit } = await fixture.open(repo);
    await fixture.workspaces.clear(runId);
    const reopen = (signal?: AbortSignal) =>
      fixture.workspaces.reopenResult({ runId, repo, base: baseCommit, result: baseCommit, ...(signal && { signal }) });
    for (const delayMs of [0, 5, 15]) {
      await assert.rejects(
        reopen(AbortSignal.timeout(delayMs)),
        (error) => error instanceof CancelledError,
        `after ${delayMs} ms`,
      );
    }
    const workspace = await reopen();
    assert.equal((await workspace.snapshot('x')).tree, workspace.baseTree);
  });

  it('tells its caller alone that it was cancelled, while it lists and packs at the same time', async () => {
    const files = Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`d${n % 40}/f${n}`, `${n}\n`]));
    const repo = makeRepository(fixture.folder('repo'), files);
    const unheard: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', (reason) => unheard.push(reason));
    try {
      for (const time of [0, 20]) {
        const runId = newId('run');
        const abort = new AbortController();
        const created = fixture.workspaces
          .create({ runId, repo, signal: abort.signal })
          .catch((error: unknown) => error);
        // It packs from here on, and has not listed everything.
        while (!existsSync(join(fixture.runFolder(runId), 'host.git', 'objects', 'pack'))) await sleep();
        await sleep(time);
        abort.abort();
        assert.ok((await created) instanceof CancelledError);
      }
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    assert.deepEqual(unheard, []);
  });

  it('can be removed whatever is in it, and takes nothing else along', async () => {
    const repo = makeRepository(fixture.folder('repo'), sample);
    const workspace = await fixture.open(repo);
    writeFiles(fixture.folder('precious'), { x: 'x' });
    await fixture.agent(
      workspace,
      `mkdir -p closed/in; touch closed/in/x; chmod 000 closed/in closed; ln -s ${fixture.folder('precious')} out`,
    );
    await workspace.remove();
    assert.equal(existsSync(fixture.runFolder(workspace.runId)), false);
    assert.ok(existsSync(fixture.folder('precious/x')));
  });
});
