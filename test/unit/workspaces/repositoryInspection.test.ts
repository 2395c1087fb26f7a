import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/base/errors';
import { inspectRepository } from '../../../src/workspaces/repositoryInspection';
import { repositoryNotes } from '../../../src/workspaces/repositoryNotes';
import { parseTreeListing } from '../../../src/workspaces/treeListing';
import { commitAll, git, makeRepository, makeTempFolder, removeFolder, writeFiles } from './sampleRepository';

describe('A repository', () => {
  let top: string;
  const folder = (name: string): string => join(top, name);

  beforeEach(() => {
    top = makeTempFolder();
    // Other accounts may pass, as in a home folder.
    chmodSync(top, 0o755);
  });
  afterEach(() => removeFolder(top));

  async function facts(path: string): Promise<Record<string, unknown>> {
    const { git: _, ...rest } = await inspectRepository(path);
    return rest;
  }

  async function notes(path: string): Promise<string[]> {
    const repository = await inspectRepository(path);
    const listed = await repository.git.run(['ls-tree', '-r', '-z', repository.baseTree]);
    return repositoryNotes(repository, parseTreeListing(listed));
  }

  async function refusal(path: string): Promise<string> {
    const error: unknown = await inspectRepository(path).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof UserError, `no user error: ${String(error)}`);
    return error.code;
  }

  it('is known by its commit, its tree and its branch', async () => {
    const repo = makeRepository(folder('repo'));
    assert.deepEqual(await facts(repo), {
      root: repo,
      commonFolder: join(repo, '.git'),
      subfolder: '',
      baseCommit: git(repo, 'rev-parse', 'HEAD'),
      baseTree: git(repo, 'rev-parse', 'HEAD^{tree}'),
      isCheckedOut: true,
      objectFormat: 'sha1',
      branch: 'main',
      isPartialClone: false,
    });
    assert.deepEqual(await notes(repo), []);
  });

  it('may use SHA-256', async () => {
    const repo = makeRepository(folder('repo'), { a: 'a' }, '--object-format=sha256');
    const { objectFormat, baseCommit } = await inspectRepository(repo);
    assert.deepEqual([objectFormat, baseCommit.length], ['sha256', 64]);
  });

  it('may be opened at a folder inside it, and then that is said', async () => {
    const repo = makeRepository(folder('repo'), { 'packages/a/index.js': '1\n' });
    const { root, subfolder } = await inspectRepository(join(repo, 'packages/a'));
    assert.deepEqual({ root, subfolder }, { root: repo, subfolder: 'packages/a' });
    assert.deepEqual(await notes(join(repo, 'packages/a')), [
      `packages/a is a folder of the repository ${repo}. The run gets the whole repository.`,
    ]);
  });

  it('may have a name with a newline and a quote', async () => {
    const repo = makeRepository(folder('re\n"po\''));
    assert.equal((await inspectRepository(repo)).root, repo);
  });

  it('may be a linked worktree, of a bare repository too', async () => {
    const repo = makeRepository(folder('repo'));
    git(repo, 'worktree', 'add', '-q', folder('linked'));
    git(top, 'clone', '-q', '--bare', repo, folder('bare'));
    git(folder('bare'), 'worktree', 'add', '-q', folder('of-bare'), 'main');
    const linked = await inspectRepository(folder('linked'));
    const ofBare = await inspectRepository(folder('of-bare'));
    assert.deepEqual(
      [linked.root, linked.commonFolder, linked.branch],
      [folder('linked'), join(repo, '.git'), 'linked'],
    );
    assert.deepEqual([ofBare.root, ofBare.commonFolder], [folder('of-bare'), folder('bare')]);
  });

  it('may have a detached HEAD, and then that is said', async () => {
    const repo = makeRepository(folder('repo'));
    git(repo, 'checkout', '-q', '--detach');
    const commit = git(repo, 'rev-parse', 'HEAD');
    assert.deepEqual(await notes(repo), [
      `No branch is checked out: the run starts from the commit ${commit.slice(0, 12)}.`,
    ]);
  });

  it('says so when something is not committed: changed, staged or new', async () => {
    const said = [
      'There are changes that are not committed. The run does not see them: it starts from the last commit.',
    ];
    for (const [name, file] of [
      ['changed', 'README.md'],
      ['new', 'new.txt'],
    ] as const) {
      const repo = makeRepository(folder(name));
      writeFileSync(join(repo, file), 'other\n');
      assert.deepEqual(await notes(repo), said, name);
      git(repo, 'add', '-A');
      assert.deepEqual(await notes(repo), said, `${name}, staged`);
    }
  });

  it('says so when it has files in Git LFS, or submodules', async () => {
    const lib = makeRepository(folder('lib'));
    const repo = makeRepository(folder('repo'), {
      'assets/.gitattributes': '# filter=none\n*.png filter=lfs diff=lfs merge=lfs -text\n',
      'assets/x.png': 'version https://git-lfs.github.com/spec/v1\n',
    });
    git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib, 'lib');
    commitAll(repo, 'with a submodule');
    assert.deepEqual(await notes(repo), [
      'Files in Git LFS stay pointers: their content is not copied.',
      'Submodules (1) are left empty.',
    ]);
  });

  it('is refused when there is none, or no such folder', async () => {
    mkdirSync(folder('plain'));
    writeFileSync(folder('file'), '');
    assert.equal(await refusal(folder('plain')), 'not-a-repository');
    assert.equal(await refusal(folder('nowhere')), 'not-a-repository');
    assert.equal(await refusal(folder('file')), 'not-a-repository');
  });

  it('is refused when it has no commit', async () => {
    mkdirSync(folder('repo'));
    git(folder('repo'), 'init', '-q');
    assert.equal(await refusal(folder('repo')), 'no-commit');
  });

  it('is refused when it is bare, and inside a .git folder', async () => {
    const repo = makeRepository(folder('repo'));
    git(top, 'clone', '-q', '--bare', repo, folder('bare'));
    assert.equal(await refusal(folder('bare')), 'bare-repository');
    assert.equal(await refusal(join(repo, '.git')), 'not-a-repository');
  });

  it('is refused when its commit is gone', async () => {
    const repo = makeRepository(folder('repo'));
    const commit = git(repo, 'rev-parse', 'HEAD');
    rmSync(join(repo, '.git/objects', commit.slice(0, 2), commit.slice(2)));
    assert.equal(await refusal(repo), 'missing-objects');
  });

  it('is refused when it is broken', async () => {
    const repo = makeRepository(folder('repo'));
    writeFileSync(join(repo, '.git/config'), '[core\n');
    assert.equal(await refusal(repo), 'repository-unreadable');
  });

  it('is refused when its configuration puts its files into another folder', async () => {
    const repo = makeRepository(folder('repo'));
    git(repo, 'config', 'core.worktree', top);
    assert.equal(await refusal(repo), 'repository-unreadable');
  });

  it('is known to be a partial clone', async () => {
    const repo = makeRepository(folder('repo'));
    git(repo, 'config', 'uploadpack.allowFilter', 'true');
    git(top, 'clone', '-q', '--no-local', '--filter=blob:none', repo, folder('partial'));
    assert.equal((await inspectRepository(folder('partial'))).isPartialClone, true);
  });

  it('executes nothing that its configuration names', async () => {
    const repo = makeRepository(folder('repo'), { '.gitattributes': '* filter=evil diff=evil\n', a: 'a\n' });
    const seen = folder('executed');
    const program = folder('program');
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> '${seen}'\ncat\n`);
    chmodSync(program, 0o755);
    const settings = {
      'core.fsmonitor': program,
      'core.hooksPath': top,
      'core.pager': program,
      'core.sshCommand': program,
      'diff.external': program,
      'diff.evil.textconv': program,
      'filter.evil.clean': program,
      'filter.evil.process': program,
      'filter.a=b.clean': program,
      'credential.helper': program,
      'alias.rev-parse': `!${program}`,
    };
    for (const [name, value] of Object.entries(settings)) git(repo, 'config', name, value);
    // A different size is seen without reading; the same size has git compare contents, through the filter.
    writeFileSync(join(repo, 'a'), 'b\n');
    writeFileSync(join(repo, '.git/info/attributes'), 'a filter=a=b\n');
    const said = await notes(repo);
    assert.equal(said.length, 1, said.join());
    assert.throws(() => execFileSync('cat', [seen], { stdio: 'pipe' }), 'something was executed');
  });

  describe('of another account', () => {
    const owner = 54_321;

    beforeEach(function () {
      if (process.getuid?.() === 0) return;
      console.log('    (skipped: only root can make files of another account)');
      this.skip();
    });

    it('is read as its owner when the host is root', async () => {
      const repo = makeRepository(folder('repo'));
      execFileSync('chown', ['-R', `${owner}:${owner}`, repo]);
      assert.equal((await inspectRepository(repo)).root, repo);
    });

    it('is refused, with the command that would allow it, when its parts belong to different accounts', async () => {
      const repo = makeRepository(folder('repo'));
      chownSync(repo, owner, owner);
      assert.equal(await refusal(repo), 'repository-untrusted');
    });

    it('is read when the user has declared it safe', async () => {
      const repo = makeRepository(folder('repo'));
      execFileSync('chown', ['-R', `${owner}:${owner}`, join(repo, '.git')]);
      assert.equal(await refusal(repo), 'repository-untrusted');
      const home = process.env['HOME'];
      process.env['HOME'] = folder('home');
      try {
        writeFiles(folder('home'), { '.gitconfig': `[safe]\n\tdirectory = ${repo}\n` });
        assert.equal((await inspectRepository(repo)).root, repo);
      } finally {
        process.env['HOME'] = home;
      }
    });

    it('is refused when its owner cannot reach it', async () => {
      const repo = makeRepository(folder('repo'));
      execFileSync('chown', ['-R', `${owner}:${owner}`, repo]);
      chmodSync(top, 0o700);
      assert.match(await refusal(repo), /^(repository-unreadable|not-a-repository)$/);
    });
  });

  it('keeps what it is told of paths for itself: ignored files are no change', async () => {
    const repo = makeRepository(folder('repo'), { '.gitignore': 'dist/\n' });
    writeFiles(repo, { 'dist/out.js': 'x' });
    assert.deepEqual(await notes(repo), []);
  });
});
