import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jailPolicySchema } from '../../src/core/jailPolicy';
import type { Snapshot, Workspace } from '../../src/core/workspace';
import { createJails } from '../../src/jail/jails';
import { git, makeRepository, writeFiles } from '../unit/workspaces/sampleRepository';
import { WorkspacesFixture } from './workspacesFixture';

/** What a hostile workspace tries on the git that stores it. Whatever it does, the rest of it is stored, and nothing runs. */
describe('A hostile workspace', function () {
  // Many jails, on machines that may be busy.
  this.timeout(60_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let repo: string;
  let workspace: Workspace;

  beforeEach(async () => {
    fixture = new WorkspacesFixture({ jails });
    repo = makeRepository(fixture.folder('repo'), {
      a: 'a\n',
      'dir/b': 'b\n',
      'dir/c': 'c\n',
      '.gitignore': '*.log\n',
    });
    workspace = await fixture.open(repo);
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  async function pathsIn(snapshot: Snapshot): Promise<string[]> {
    return (await workspace.changes(workspace.baseTree, snapshot.tree)).map(({ path, kind }) => `${kind} ${path}`);
  }

  async function stored(script: string): Promise<{ changes: string[]; skipped: Record<string, string> }> {
    await fixture.agent(workspace, script);
    const snapshot = await workspace.snapshot('hostile');
    const check = await workspace.checkTree(snapshot.tree);
    await check.remove();
    return {
      changes: await pathsIn(snapshot),
      skipped: Object.fromEntries(snapshot.skipped.map(({ path, reason }) => [path, reason])),
    };
  }

  it('cannot hang it with a FIFO in the place of anything that git reads', async () => {
    const result = await stored(
      `rm .gitignore a; mkfifo .gitignore .gitattributes a .gitmodules new; mkdir sub; mkfifo sub/.gitignore sub/.gitattributes
       mkdir -p sub/.git; mkfifo sub/.git/HEAD sub/.git/config; echo fine > sub/fine; echo x > x.log`,
    );
    assert.deepEqual(result, {
      // The rules of a file that cannot be read do not count.
      changes: ['added sub/fine', 'added x.log'],
      skipped: {
        '.gitattributes': 'special',
        '.gitignore': 'special',
        '.gitmodules': 'special',
        a: 'special',
        new: 'special',
        'sub/.git': 'nested-repository',
        'sub/.gitattributes': 'special',
        'sub/.gitignore': 'special',
      },
    });
  });

  it('cannot have a link called .gitignore followed', async () => {
    const result = await stored('rm .gitignore; ln -s /etc/passwd .gitignore; ln -s a .gitattributes; echo x > x.log');
    assert.deepEqual(result, {
      changes: ['added .gitattributes', 'typeChanged .gitignore', 'added x.log'],
      skipped: {},
    });
  });

  it('has its sockets, and files and folders that nobody may read, named and left as they were', async () => {
    const result = await stored(
      `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")' 2> /dev/null || mkfifo sock
       echo secret > a; chmod 000 a; chmod 000 dir; mkdir closed; touch closed/x; chmod 000 closed; echo y > y`,
    );
    assert.deepEqual(result, {
      changes: ['added y'],
      skipped: { a: 'unreadable', closed: 'unreadable', dir: 'unreadable', sock: 'special' },
    });
  });

  it('cannot make the whole of it unreadable and be taken for empty', async () => {
    await fixture.agent(workspace, 'chmod 000 /workspace');
    await assert.rejects(workspace.snapshot('closed'), { code: 'workspace-unsteady' });
  });

  it('keeps odd names, and has those left out that are no names everywhere', async () => {
    const long = 'n'.repeat(255);
    const result = await stored(
      `touch -- -rf $'two\\nlines' ':(top)x' '*' ${long} 'a b' $'tab\\t' '"' "'" '\\\\' $'\\e[31mred' ' '
       touch $'bad\\xff' 'git~1' '.git ' ; mkdir .GIT; echo x > .GIT/config`,
    );
    assert.deepEqual(
      new Set(result.changes.map((change) => change.replace('added ', ''))),
      new Set(['-rf', 'two\nlines', ':(top)x', '*', long, 'a b', 'tab\t', '"', "'", '\\\\', '\u001b[31mred', ' ']),
    );
    assert.deepEqual(result.skipped, {
      '.GIT/config': 'invalid-name',
      '.git ': 'invalid-name',
      'bad\\xff': 'invalid-name',
      'git~1': 'invalid-name',
    });
  });

  it('may be deeper than any path can say', async () => {
    const done = await stored(
      `perl -e 'mkdir "deep"; chdir "deep"; for (1..1000) { mkdir "dddd"; chdir "dddd" } open(F, ">x")'; echo y > y`,
    );
    assert.deepEqual(done.changes, ['added y']);
    assert.deepEqual(Object.values(done.skipped), ['invalid-name']);
    await workspace.remove();
    assert.equal(existsSync(fixture.runFolder(workspace.runId)), false);
  });

  it('has no filter, driver, hook or nested configuration executed', async () => {
    const result = await stored(
      `git config filter.evil.clean 'touch /workspace/ran; cat'; git config filter.evil.smudge 'touch /workspace/ran; cat'
       git config core.fsmonitor 'touch /workspace/ran'; git config core.hooksPath /workspace/hooks
       mkdir hooks; printf '#!/bin/sh\\ntouch /workspace/ran\\n' > hooks/post-index-change; chmod +x hooks/*
       echo '* filter=evil diff=evil text eol=crlf working-tree-encoding=UTF-16 ident' > .gitattributes
       git init -q nested; git -C nested config core.fsmonitor 'touch /workspace/ran'
       git -C nested config filter.evil.clean 'touch /workspace/ran; cat'; echo '$Id$' > nested/file; echo more >> a
       rm -f ran`,
    );
    assert.deepEqual(result, {
      changes: ['added .gitattributes', 'modified a', 'added hooks/post-index-change', 'added nested/file'],
      skipped: { 'nested/.git': 'nested-repository' },
    });
    assert.equal(await fixture.agent(workspace, 'ls -d ran 2> /dev/null || echo did not run'), 'did not run\n');
    const { commit } = await workspace.publish({
      tree: (await workspace.snapshot('x')).tree,
      branch: 'airlock/t-1',
      message: 'x',
    });
    const file = await fixture.workspaces.readFile(repo, commit, 'nested/file');
    assert.equal(Buffer.from(file ?? []).toString(), '$Id$\n');
  });

  it("keeps the user's own filters from running on its attributes", async () => {
    const seen = fixture.folder('filter-ran');
    for (const kind of ['clean', 'smudge', 'process'])
      git(repo, 'config', `filter.users.${kind}`, `touch '${seen}'; cat`);
    git(repo, 'config', 'diff.users.textconv', `touch '${seen}'; cat`);
    const { changes } = await stored("echo '* filter=users diff=users' > .gitattributes; echo more >> a");
    assert.deepEqual(changes, ['added .gitattributes', 'modified a']);
    const { commit } = await workspace.publish({
      tree: (await workspace.snapshot('x')).tree,
      branch: 'airlock/t-1',
      message: 'x',
    });
    await fixture.workspaces.changes(repo, workspace.baseCommit, commit);
    await fixture.workspaces.readFile(repo, commit, 'a');
    assert.equal(existsSync(seen), false);
  });

  it('has an empty nested repository, and a file or link called .git, left out', async () => {
    const result = await stored(
      `mkdir -p one/.git two three; echo 'gitdir: /etc' > two/.git; ln -s / three/.git; for d in one two three; do echo x > $d/x; done`,
    );
    assert.deepEqual(result, {
      changes: ['added one/x', 'added three/x', 'added two/x'],
      skipped: { 'one/.git': 'nested-repository', 'three/.git': 'nested-repository', 'two/.git': 'nested-repository' },
    });
  });

  it('is stored when its own .git is a file or a link on the host', async () => {
    const top = join(fixture.runFolder(workspace.runId), 'workspace');
    for (const replace of [
      () => writeFileSync(join(top, '.git'), 'gitdir: /etc\n'),
      () => writeFiles(top, { '.git': { link: '/etc' } }),
    ]) {
      rmSync(join(top, '.git'), { recursive: true, force: true });
      replace();
      writeFiles(top, { new: 'n\n' });
      assert.deepEqual(await pathsIn(await workspace.snapshot('x')), ['added new']);
      // Nothing could be mounted there safely, so there is no going on with it.
      assert.equal(await fixture.workspaces.reopen(workspace.runId), undefined);
    }
  });

  it('has links that lead out stored as links', async () => {
    writeFiles(fixture.top, { 'secret/key': 'TOP SECRET' });
    const secret = fixture.folder('secret');
    const { changes } = await stored(
      `rm -r dir; ln -s ${secret} dir; ln -sf ${secret}/key a; ln -s /proc/self/root root`,
    );
    assert.deepEqual(changes, ['typeChanged a', 'added dir', 'deleted dir/b', 'deleted dir/c', 'added root']);
    const snapshot = await workspace.snapshot('links');
    const { commit } = await workspace.publish({ tree: snapshot.tree, branch: 'airlock/t-1', message: 'x' });
    const link = await fixture.workspaces.readFile(repo, commit, 'a');
    assert.equal(Buffer.from(link ?? []).toString(), `${secret}/key`);
  });

  it('never gets a secret of the host in by swapping a file and a link while it is stored', async () => {
    writeFiles(fixture.top, { 'secret/key': 'TOP SECRET' });
    const top = join(fixture.runFolder(workspace.runId), 'workspace');
    const stop = new AbortController();
    const swapping = fixture.jails.run({
      policy: jailPolicySchema.parse({
        account: workspace.runId,
        mounts: [...workspace.mounts],
      }),
      argv: [
        'bash',
        '-c',
        `mkdir -p d; while :; do echo x > f; ln -sfn ${fixture.folder('secret')}/key f; rm f; echo y > d/key; mv d e; ln -s ${fixture.folder('secret')} d; rm d; mv e d; done`,
      ],
      signal: stop.signal,
    });
    try {
      for (let round = 0; round < 8; round += 1) {
        await workspace.snapshot('race').catch((error: unknown) => assert.match(String(error), /changing while/));
      }
    } finally {
      stop.abort();
      await swapping.catch(() => {});
    }
    const { tree } = await workspace.snapshot('after');
    await workspace.publish({ tree, branch: 'airlock/t-1', message: 'x' });
    const objects = join(top, '../host.git');
    const all = execFileSync('git', ['--git-dir', objects, 'cat-file', '--batch', '--batch-all-objects'], {
      encoding: 'latin1',
      env: {
        PATH: process.env['PATH'],
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
      },
    });
    assert.equal(all.includes('TOP SECRET'), false);
    assert.equal(readFileSync(fixture.folder('secret/key'), 'utf8'), 'TOP SECRET');
  });

  it('has files that are too large left out, and too much of them refused', async () => {
    const small = fixture.workspacesWith({ limits: { maxFileBytes: 1000, maxBytes: 2500 } });
    const reopened = await small.reopen(workspace.runId);
    assert.ok(reopened);
    await fixture.agent(
      workspace,
      'head -c 1001 /dev/zero > big; head -c 900 /dev/zero > one; head -c 900 /dev/zero > two; truncate -s 900M sparse.log',
    );
    const { skipped } = await reopened.snapshot('large');
    assert.deepEqual(skipped, [{ path: 'big', reason: 'too-large' }]);
    await fixture.agent(workspace, 'head -c 900 /dev/zero > three');
    await assert.rejects(reopened.snapshot('too large'), { code: 'workspace-limit' });
  });

  it('may destroy the git directory that it was given: nobody else reads it', async () => {
    const { changes } = await stored(
      'echo new > new; rm -rf .git/* 2> /dev/null || true; mkfifo .git/HEAD .git/config',
    );
    assert.deepEqual(changes, ['added new']);
  });
});
