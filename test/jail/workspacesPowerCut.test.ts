import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runStateSchema } from '../../src/workspaces/runState';
import type { Workspace } from '../../src/core/workspace';
import { createJails } from '../../src/jail/jails';
import { commitAll, git, makeRepository, writeFiles } from '../unit/workspaces/sampleRepository';
import { WorkspacesFixture } from './workspacesFixture';

describe('A workspace after the machine has stopped', function () {
  this.timeout(60_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let repo: string;
  let workspace: Workspace;
  beforeEach(async () => {
    fixture = new WorkspacesFixture({ jails });
    repo = makeRepository(fixture.folder('repo'), {
      'README.md': 'hello\n',
      'src/a.js': 'a\n',
      'src/empty.js': '',
      'bin/run': { executable: '#!/bin/sh\necho ran\n' },
      '.gitignore': 'dist/\n',
    });
    // A base with a parent, which is not there.
    writeFiles(repo, { 'src/b.js': 'b\n' });
    commitAll(repo, 'second');
    workspace = await fixture.open(repo);
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  const inRun = (...path: string[]): string => join(fixture.runFolder(workspace.runId), ...path);
  const inWorkspace = (path: string): string => inRun('workspace', path);
  const empty = (...paths: string[]): void => paths.forEach((path) => truncateSync(path));
  const stateOf = () => runStateSchema.parse(JSON.parse(readFileSync(inRun('workspace.json'), 'utf8')));
  /** The state says another boot, as it does when the machine was started anew; an older Airlock noted none. */
  const startMachine = (boot: string | null = 'another boot'): void =>
    writeFileSync(inRun('workspace.json'), JSON.stringify({ ...stateOf(), boot }));
  const reopened = async (): Promise<Workspace> =>
    (await fixture.workspaces.reopen(workspace.runId)) ?? assert.fail('it is gone');
  const keeping = (index: number) => ({ index, maxNewBytes: Number.MAX_SAFE_INTEGER });

  it('has files again that were emptied, as the base has them, and all else as it was', async () => {
    await fixture.agent(
      workspace,
      'echo mine > README.md; rm src/a.js; : > new; mkdir dist; : > dist/x; chmod 555 bin',
    );
    const { tree } = await workspace.snapshot('what it should be');
    rmSync(inRun('host.git/refs/snapshots'), { recursive: true });
    startMachine();
    empty(inWorkspace('src/b.js'), inWorkspace('bin/run'));
    const again = await reopened();
    assert.equal((await again.snapshot('again')).tree, tree);
    assert.equal(
      await fixture.agent(again, './bin/run; ls -A dist new src; stat -c %s dist/x'),
      'ran\nnew\n\ndist:\nx\n\nsrc:\nb.js\nempty.js\n0\n',
    );
  });

  it('has them as the last snapshot has them, when there is one', async () => {
    await fixture.agent(workspace, 'echo one > src/a.js; echo one > mine');
    await workspace.snapshot('one', keeping(1));
    await fixture.agent(workspace, 'echo two > src/a.js; echo two > mine');
    const { tree } = await workspace.snapshot('two', keeping(2));
    await workspace.restoreCheckSurface(tree);
    startMachine(null);
    empty(inWorkspace('src/a.js'), inWorkspace('mine'));
    assert.equal((await (await reopened()).snapshot('again')).tree, tree);
  });

  it('is looked through once in each boot', async () => {
    const { boot } = stateOf();
    assert.ok(boot);
    startMachine();
    await reopened();
    assert.equal(stateOf().boot, boot);
    empty(inWorkspace('src/a.js'));
    const { tree } = await (await reopened()).snapshot('what the agent emptied stays empty');
    assert.notEqual(tree, workspace.baseTree);
  });

  it('has a git for the agent again when that is broken, and the work is what differs from the base', async () => {
    const parts = ['HEAD', 'config', 'index', 'refs/heads/main', 'objects/pack'];
    for (const part of parts) {
      startMachine();
      await fixture.agent(workspace, 'echo mine > README.md');
      if (part === 'objects/pack')
        for (const name of readdirSync(inRun('agent.git', part))) empty(inRun('agent.git', part, name));
      else empty(inRun('agent.git', part));
      const again = await reopened();
      assert.equal(
        await fixture.agent(again, 'git status --porcelain; git log --format=%an'),
        ' M README.md\nAda\n',
        part,
      );
    }
    rmSync(inRun('agent.git'), { recursive: true });
    startMachine();
    assert.equal(await fixture.agent(await reopened(), 'git commit -qam mine; git status --porcelain'), '');
  });

  it('leaves the agent the git that it has when that is whole', async () => {
    await fixture.agent(workspace, 'echo mine > README.md; git commit -qam mine; git checkout -q --orphan other');
    startMachine();
    assert.equal(
      await fixture.agent(await reopened(), 'git log --format=%s -1 main; git symbolic-ref HEAD'),
      'mine\nrefs/heads/other\n',
    );
  });

  it('is gone when its own git directory lost something that it needs', async () => {
    await fixture.agent(workspace, 'echo mine > README.md');
    await workspace.snapshot('mine', keeping(1));
    const hostGit = inRun('host.git');
    const objects = readdirSync(join(hostGit, 'objects'), { recursive: true, encoding: 'utf8' });
    const loose = objects.filter((name) => /^..\/.{38}$/.test(name)).map((name) => `objects/${name}`);
    const packs = objects.filter((name) => /\.(pack|idx)$/.test(name)).map((name) => `objects/${name}`);
    assert.deepEqual([loose.length >= 3, packs.length], [true, 2]);
    for (const name of ['HEAD', 'config', 'info/attributes', 'shallow', ...packs, ...loose]) {
      const before = readFileSync(join(hostGit, name));
      startMachine();
      rmSync(join(hostGit, name));
      writeFileSync(join(hostGit, name), '', { mode: 0o644 });
      assert.equal(await fixture.workspaces.reopen(workspace.runId), undefined, name);
      writeFileSync(join(hostGit, name), before);
    }
    assert.ok(await reopened(), 'and it is there when all of it is');
  });

  it('is not harmed by an emptied object or ref that nothing needs: it is written again', async () => {
    await fixture.agent(workspace, 'echo mine > README.md');
    const { tree } = await workspace.snapshot('mine', keeping(1));
    const objects = inRun('host.git/objects');
    for (const name of readdirSync(objects, { recursive: true, encoding: 'utf8' }))
      if (/^..\/.{38}$/.test(name)) {
        rmSync(join(objects, name));
        writeFileSync(join(objects, name), '');
      }
    empty(inRun('host.git/refs/kept/1'));
    startMachine();
    assert.equal((await (await reopened()).snapshot('mine', keeping(1))).tree, tree);
  });

  it('is gone in the same boot too when its base cannot be read', async () => {
    const hostGit = inRun('host.git');
    const [pack] = readdirSync(join(hostGit, 'objects/pack')).filter((name) => name.endsWith('.pack'));
    for (const name of ['HEAD', 'config', `objects/pack/${pack}`]) {
      const before = readFileSync(join(hostGit, name));
      rmSync(join(hostGit, name));
      assert.equal(await fixture.workspaces.reopen(workspace.runId), undefined, name);
      writeFileSync(join(hostGit, name), before);
    }
    assert.ok(await reopened());
  });

  it('has its result checked out anew where its trees are broken', async () => {
    await fixture.agent(workspace, 'echo mine > README.md');
    const { tree } = await workspace.snapshot('mine', keeping(1));
    const { commit } = await workspace.publish({ tree, branch: 'airlock/t-1', message: 'mine\n' });
    await workspace.remove();
    startMachine();
    for (const name of readdirSync(inRun('host.git/objects/pack'))) empty(inRun('host.git/objects/pack', name));
    const base = workspace.baseCommit;
    const again = await fixture.workspaces.reopenResult({ runId: workspace.runId, repo, base, result: commit });
    assert.equal((await again.snapshot('again')).tree, tree);
    assert.equal(git(repo, 'rev-parse', 'airlock/t-1^{tree}'), tree);
  });
});
