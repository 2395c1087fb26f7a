import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors';
import type { Merge, TargetBranches } from '../../src/core/landing';
import { createTargetBranches } from '../../src/workspaces/targetBranches';
import { createJails } from '../../src/jail/jails';
import { commitAll, git, makeRepository, writeFiles } from '../unit/workspaces/sampleRepository';
import { WorkspacesFixture } from './workspacesFixture';

const lines = (...changed: string[]): string =>
  Array.from({ length: 12 }, (_, at) => `${changed.includes(String(at)) ? 'changed' : 'line'} ${at}\n`).join('');

describe('Laying a result over what a branch has become', function () {
  this.timeout(60_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let repo: string;
  let base: string;
  let result: string;

  beforeEach(() => {
    fixture = new WorkspacesFixture({ jails });
    repo = makeRepository(fixture.folder('repo'), { a: lines(), b: 'b\n', old: 'old\n' });
    base = git(repo, 'rev-parse', 'HEAD');
    git(repo, 'checkout', '-q', '-b', 'airlock/t-1');
    writeFiles(repo, { a: lines('2'), new: 'new\n' });
    git(repo, 'rm', '-q', 'old');
    result = commitAll(repo, 'result');
    git(repo, 'checkout', '-q', 'main');
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  async function merge(
    files?: readonly string[],
  ): Promise<{ merge: Merge; contents: Record<string, string | undefined> }> {
    const workspace = await fixture.workspaces.create({ runId: 'run-l', repo });
    const merged = await workspace.merge(base, result, files);
    const contents: Record<string, string | undefined> = {};
    if (merged.kind === 'merged') {
      for (const file of ['a', 'b', 'new', 'old']) {
        const bytes = await workspace.readFile(merged.tree, file);
        contents[file] = bytes && Buffer.from(bytes).toString();
      }
    }
    return { merge: merged, contents };
  }

  it('joins changes of other lines and files, and takes away what the result deleted', async () => {
    writeFiles(repo, { a: lines('9'), b: 'mine\n' });
    commitAll(repo, 'mine');
    assert.deepEqual((await merge()).contents, { a: lines('2', '9'), b: 'mine\n', new: 'new\n', old: undefined });
  });

  it('gives the result itself where the branch has not moved', async () => {
    const { merge: merged } = await merge();
    assert.deepEqual(merged, { kind: 'merged', tree: git(repo, 'rev-parse', `${result}^{tree}`) });
  });

  it('names the files that both changed in the same place, and makes nothing', async () => {
    writeFiles(repo, { a: lines().replace('line 2', 'mine 2') });
    commitAll(repo, 'mine');
    const { merge: merged } = await merge();
    assert.deepEqual([merged.kind, merged.kind === 'conflict' && merged.files], ['conflict', ['a']]);
  });

  it('takes only the files that it is told, deletions too', async () => {
    const { contents } = await merge(['old', 'new', 'not-there']);
    assert.deepEqual(contents, { a: lines(), b: 'b\n', new: 'new\n', old: undefined });
  });

  it('uses no merge driver that an attribute names, even one that the user has', async () => {
    const seen = fixture.folder('driver-ran');
    git(repo, 'config', 'merge.mine.driver', `touch ${seen}; false`);
    writeFiles(repo, { a: lines('9'), '.gitattributes': '* merge=mine\n' });
    commitAll(repo, 'mine');
    assert.equal((await merge()).merge.kind, 'merged');
    assert.equal(existsSync(seen), false);
  });
});

describe('A branch of the user’s', () => {
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let targets: TargetBranches;
  let repo: string;
  let first: string;
  let second: string;

  beforeEach(() => {
    fixture = new WorkspacesFixture({ jails });
    targets = createTargetBranches();
    repo = makeRepository(fixture.folder('repo'), { a: 'a\n', b: 'b\n' });
    first = git(repo, 'rev-parse', 'HEAD');
    git(repo, 'checkout', '-q', '-b', 'airlock/t-1');
    writeFiles(repo, { a: 'changed\n', c: 'new\n' });
    second = commitAll(repo, 'result');
    git(repo, 'checkout', '-q', 'main');
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  const tipOf = (ref: string): string => git(repo, 'rev-parse', ref);
  const read = (file: string): string => readFileSync(join(repo, file), 'utf8');
  async function codeOf(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => 'done',
      (error: unknown) => (error instanceof UserError ? error.code : String(error)),
    );
  }

  it('goes forward with the files of its worktree, runs no hook and no filter, and keeps what is not committed', async () => {
    const seen = fixture.folder('ran');
    writeFiles(repo, {
      '.git/hooks/post-merge': { executable: `#!/bin/sh\ntouch ${seen}\n` },
      '.git/hooks/post-checkout': { executable: `#!/bin/sh\ntouch ${seen}\n` },
      '.git/info/attributes': '* filter=mine\n',
      b: 'edited\n',
      untracked: 'mine\n',
    });
    git(repo, 'config', 'filter.mine.smudge', `sh -c 'touch ${seen}; cat'`);
    git(repo, 'config', 'filter.mine.required', 'true');
    const target = await targets.find(repo);
    assert.deepEqual(target, { repo, ref: 'refs/heads/main', commit: first });
    await targets.advance(target, second);
    assert.deepEqual([tipOf('main'), read('a'), read('b'), read('c')], [second, 'changed\n', 'edited\n', 'new\n']);
    assert.equal(existsSync(seen), false);
    git(repo, 'config', '--remove-section', 'filter.mine');
    assert.equal(git(repo, 'status', '--porcelain'), ' M b\n?? untracked');
  });

  it('stays where it is when uncommitted changes or new files are in the way', async () => {
    const target = await targets.find(repo);
    for (const files of [
      { a: 'edited\n', b: 'b\n' },
      { a: 'a\n', c: 'mine\n' },
    ] as Record<string, string>[]) {
      writeFiles(repo, files);
      assert.equal(await codeOf(targets.advance(target, second)), 'landing-overwrites');
      assert.equal(tipOf('main'), first);
    }
    assert.deepEqual([read('a'), read('c')], ['a\n', 'mine\n']);
  });

  it('stays where it is when it has moved meanwhile', async () => {
    const target = await targets.find(repo);
    writeFiles(repo, { b: 'mine\n' });
    const third = commitAll(repo, 'mine');
    assert.equal(await codeOf(targets.advance(target, second)), 'landing-moved');
    assert.equal(tipOf('main'), third);
  });

  it('goes forward without any files where it is not checked out', async () => {
    git(repo, 'checkout', '-q', '-b', 'other');
    await targets.advance(await targets.find(repo, 'main'), second);
    assert.deepEqual([tipOf('main'), read('a'), git(repo, 'status', '--porcelain')], [second, 'a\n', '']);
  });

  it('goes back as long as nothing was built on it, keeping what is not committed', async () => {
    const target = await targets.find(repo);
    const landed = { ref: target.ref, from: first, commit: second };
    await targets.advance(target, second);
    writeFiles(repo, { b: 'edited\n' });
    await targets.goBack(repo, landed);
    assert.deepEqual(
      [tipOf('main'), read('a'), read('b'), existsSync(join(repo, 'c'))],
      [first, 'a\n', 'edited\n', false],
    );

    await targets.advance(target, second);
    writeFiles(repo, { a: 'edited too\n' });
    assert.equal(await codeOf(targets.goBack(repo, landed)), 'landing-overwrites');
    commitAll(repo, 'on top');
    assert.equal(await codeOf(targets.goBack(repo, landed)), 'landing-built-on');
    assert.equal(read('a'), 'edited too\n');
  });

  it('is not found where there is none, and never in quarantine', async () => {
    assert.equal(await codeOf(targets.find(repo, 'nothing')), 'landing-target');
    assert.equal(await codeOf(targets.find(repo, 'a..b')), 'landing-target');
    assert.equal(await codeOf(targets.find(repo, 'airlock/t-1')), 'landing-target');
    git(repo, 'checkout', '-q', '--detach');
    assert.equal(await codeOf(targets.find(repo)), 'landing-detached');
  });

  it('in quarantine is deleted when the result is discarded, unless it is the user’s own by now', async () => {
    await targets.discard(repo, 'airlock/t-1', first);
    git(repo, 'checkout', '-q', 'airlock/t-1');
    await targets.discard(repo, 'airlock/t-1', second);
    assert.equal(tipOf('airlock/t-1'), second);
    git(repo, 'checkout', '-q', 'main');
    await targets.discard(repo, 'main', first);
    await targets.discard(repo, 'airlock/t-1', second);
    assert.equal(git(repo, 'for-each-ref', '--format=%(refname)'), 'refs/heads/main');
  });
});
