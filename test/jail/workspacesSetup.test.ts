import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { isCancellation, UserError } from '../../src/base/errors';
import { newId } from '../../src/base/ids';
import type { Dependencies, Preparation, PreparationOptions } from '../../src/core/dependencies';
import type { EgressConnection } from '../../src/core/jail';
import type { Workspace } from '../../src/core/workspace';
import { commitAll, git, makeRepository, writeFiles, type SampleFile } from '../unit/workspaces/sampleRepository';
import { createJails } from '../../src/jail/jails';
import { needProgram } from './jailRoom';
import { processesThatName } from '../fakes/wholeRoom';
import { greetPackage, npmProject } from './npmProject';
import { WorkspacesFixture } from './workspacesFixture';

describe('The setup of a repository', function () {
  this.timeout(120_000);
  const jails = createJails();
  let fixture: WorkspacesFixture;
  let started: number;

  beforeEach(() => {
    fixture = new WorkspacesFixture({ jails });
    started = 0;
  });
  afterEach(() => fixture.dispose());
  after(() => jails.shutdown());

  const options = (changes: Partial<PreparationOptions> = {}): PreparationOptions => ({
    allowedDomains: [],
    maxKeptBytes: 1024 ** 3,
    onStart: async () => void (started += 1),
    ...changes,
  });

  function repository(setup: string, files: Readonly<Record<string, SampleFile>> = {}): string {
    return makeRepository(fixture.folder('repo'), {
      '.airlock/config.yaml': `setup: ${setup}\n`,
      'package-lock.json': '{"lockfileVersion": 3}\n',
      'code.txt': 'code\n',
      ...files,
    });
  }

  async function ready(workspace: Workspace, tree = workspace.baseTree, changes = {}): Promise<Dependencies> {
    const preparation = await workspace.prepare(tree, options(changes));
    assert.equal(preparation.kind, 'ready', wordsOf(preparation));
    return preparation.kind === 'ready' ? preparation.dependencies : assert.fail();
  }

  async function inSession(workspace: Workspace, dependencies: Dependencies, script: string): Promise<string> {
    const { mounts, environment } = await workspace.sessionView(dependencies);
    return fixture.inJail(workspace, mounts, script, environment);
  }

  it('is an npm project’s own: its packages are there for the agent and for checks, and neither can change them', async () => {
    const repo = repository('npm ci', npmProject('file:greet-1.0.0.tgz'));
    writeFileSync(join(repo, 'greet-1.0.0.tgz'), greetPackage());
    commitAll(repo, 'the package');
    const workspace = await fixture.open(repo);
    const dependencies = await ready(workspace);
    assert.equal(await inSession(workspace, dependencies, 'node test.js'), 'hello from greet\n');
    const spoil = 'echo "module.exports = () => {}" > node_modules/greet/index.js';
    await assert.rejects(inSession(workspace, dependencies, spoil), /Read-only file system/);
    const check = await workspace.checkTree(workspace.baseTree, dependencies);
    assert.equal(
      await fixture.inJail(workspace, check.mounts, 'node test.js', check.environment),
      'hello from greet\n',
    );
    await assert.rejects(fixture.inJail(workspace, check.mounts, spoil), /Read-only file system/);
    await check.remove();
    assert.deepEqual((await workspace.snapshot('end')).tree, workspace.baseTree);
    assert.deepEqual(readdirSync(join(repo)).includes('node_modules'), false);
  });

  it('does not make a result incomplete, however closed the executor’s files are', async () => {
    const umask = process.umask(0o077);
    try {
      const workspace = await fixture.open(
        repository('{ run: mkdir -p node_modules lib/gen, outputs: [node_modules, lib/gen] }', { 'lib/x.txt': 'x\n' }),
      );
      await inSession(workspace, await ready(workspace), 'test -d node_modules; test -r lib/gen');
      const { tree, skipped } = await workspace.snapshot('end');
      assert.deepEqual({ tree, skipped }, { tree: workspace.baseTree, skipped: [] });
    } finally {
      process.umask(umask);
    }
  });

  it('that a killed process was at is dead with it, and is made anew', async () => {
    const repo = repository('mkdir node_modules; echo begun; exec sleep 9876');
    const script = join(import.meta.dirname, 'preparing.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, fixture.storage, repo], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['it ended'])]);
    assert.match(String(said), /begun/);
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.deepEqual(await processesThatName('sleep 9876'), []);
    writeFiles(repo, { '.airlock/config.yaml': 'setup: mkdir node_modules\n' });
    commitAll(repo, 'a shorter one');
    const { key } = await ready(await fixture.open(repo));
    assert.deepEqual(
      keptOf(fixture).map((folder) => basename(folder)),
      [key],
    );
  });

  it('is run once for the same lock files, by whoever comes first', async () => {
    const repo = repository('echo x > made; mkdir node_modules; mv made node_modules; sleep 0.3');
    const workspaces = await Promise.all([fixture.open(repo), fixture.open(repo)]);
    const both = await Promise.all(workspaces.map((workspace) => ready(workspace)));
    assert.deepEqual([started, both[0]?.key], [1, both[1]?.key]);
    writeFiles(repo, { 'code.txt': 'other code\n' });
    commitAll(repo, 'other code');
    const later = new WorkspacesFixture({ jails, storage: fixture.storage });
    const third = await later.open(repo);
    assert.equal((await ready(third)).key, both[0]?.key);
    assert.equal(started, 1);
    assert.equal(await later.inJail(third, (await third.sessionView(both[0])).mounts, 'cat node_modules/made'), 'x\n');
    await later.dispose();
    writeFiles(repo, { 'package-lock.json': '{"lockfileVersion": 4}\n' });
    commitAll(repo, 'other lock');
    await ready(await fixture.open(repo));
    assert.equal(started, 2);
  });

  it('that fails says so with its output, keeps nothing, and is run again the next time', async () => {
    const workspace = await fixture.open(repository('[ "mkdir node_modules", "echo the reason >&2; exit 7" ]'));
    const ends: unknown[] = [];
    const live: string[] = [];
    for (const _ of [1, 2]) {
      const preparation = await workspace.prepare(
        workspace.baseTree,
        options({
          onEnd: async (end) => void ends.push([end.problem, end.exitCode]),
          onOutput: (bytes) => live.push(Buffer.from(bytes).toString()),
        }),
      );
      assert.match(wordsOf(preparation), /^\$ mkdir node_modules\n\$ echo the reason >&2; exit 7\nthe reason\n$/);
    }
    assert.deepEqual(ends, [
      ['exit code 7', 7],
      ['exit code 7', 7],
    ]);
    assert.match(live.join(''), /the reason/);
    assert.equal(started, 2);
    assert.deepEqual(keptOf(fixture), []);
  });

  it('that makes nothing, or not what it said, has failed', async () => {
    const words: string[] = [];
    const onEnd: PreparationOptions['onEnd'] = async ({ problem }) => void words.push(problem ?? 'fine');
    const repo = repository('"true"');
    for (const setup of ['"true"', '{ run: mkdir node_modules, outputs: [lib/deps] }']) {
      writeFiles(repo, { '.airlock/config.yaml': `setup: ${setup}\n`, 'lib/x.txt': 'x\n' });
      commitAll(repo, setup);
      const workspace = await fixture.open(repo);
      assert.equal((await workspace.prepare(workspace.baseTree, options({ onEnd }))).kind, 'failed');
    }
    assert.match(words.join('; '), /^it made none of node_modules, .*; it did not make lib\/deps$/);
  });

  it('that takes too long is ended', async () => {
    const workspace = await fixture.open(repository('{ run: sleep 60, timeout_seconds: 0.3 }'));
    const problems: unknown[] = [];
    const onEnd: PreparationOptions['onEnd'] = async ({ problem }) => void problems.push(problem);
    assert.equal((await workspace.prepare(workspace.baseTree, options({ onEnd }))).kind, 'failed');
    assert.deepEqual(problems, ['timeout']);
  });

  it('is ended with its run, and whoever waited for it makes it', async () => {
    const repo = repository('mkdir node_modules; touch node_modules/x; sleep ${SLEEP:-0.2}');
    const [first, second] = [await fixture.open(repo), await fixture.open(repo)];
    const abort = new AbortController();
    const begun = first.prepare(first.baseTree, options({ signal: abort.signal, onOutput: () => abort.abort() }));
    await assert.rejects(begun, isCancellation);
    await ready(second);
    assert.equal(keptOf(fixture).length, 1);
  });

  it('that was not finished by a process that died is not used', async () => {
    const repo = repository('mkdir node_modules; touch node_modules/x');
    const { key, release } = await ready(await fixture.open(repo));
    release();
    const [kept] = keptOf(fixture);
    assert.ok(kept);
    writeFileSync(join(kept, 'made.json'), '{"version": 1, "outp');
    mkdirSync(join(kept, '..', '.part-left'));
    const later = new WorkspacesFixture({ jails, storage: fixture.storage });
    assert.equal((await ready(await later.open(repo))).key, key);
    await later.dispose();
    assert.deepEqual([started, readdirSync(join(kept, '..'))], [2, [key]]);
  });

  it('leaves nothing that another account could write, run as its owner, or wait at', async () => {
    const repo = repository(
      'mkdir -m 777 node_modules; cd node_modules; touch a; chmod 6777 a; mkfifo f; mkdir -m 000 closed; ln -s /etc/passwd link',
    );
    const { folders } = await ready(await fixture.open(repo));
    const folder = folders[0]?.folder ?? '';
    const modes = ['', 'a', 'closed'].map((name) => (statSync(join(folder, name)).mode & 0o7777).toString(8));
    assert.deepEqual(
      [readdirSync(folder).sort(), modes],
      [
        ['a', 'closed', 'link'],
        ['755', '755', '755'],
      ],
    );
    assert.equal(lstatSync(join(folder, 'a')).uid, process.getuid?.());
  });

  it('is not fooled by a link where it was to make a folder', async () => {
    const repo = repository('{ run: ln -s /etc node_modules, outputs: [node_modules] }');
    const workspace = await fixture.open(repo);
    assert.equal((await workspace.prepare(workspace.baseTree, options())).kind, 'failed');
  });

  it('does not run again for a result that leaves the lock files alone, whatever its scripts say', async () => {
    const workspace = await fixture.open(
      repository('sh install.sh', { 'install.sh': 'mkdir node_modules; echo good > node_modules/x\n' }),
    );
    const base = await ready(workspace);
    await inSession(workspace, base, 'echo "echo evil > node_modules/x" >> install.sh');
    const { tree } = await workspace.snapshot('turn');
    assert.equal((await ready(workspace, tree)).key, base.key);
    base.release();
    for (const kept of keptOf(fixture)) await fixture.jails.remove(kept);
    // Made anew, it is made from the base.
    const again = await ready(workspace, tree);
    assert.equal(await inSession(workspace, again, 'cat node_modules/x'), 'good\n');
  });

  it('is run for a result with other lock files, and no other run is given what that made', async () => {
    const repo = repository('sh install.sh', {
      'install.sh':
        'mkdir -p node_modules "$npm_config_cache"; cat "$npm_config_cache"/* > node_modules/x; echo user >> "$npm_config_cache/log"\n',
    });
    const workspace = await fixture.open(repo);
    const base = await ready(workspace);
    await inSession(
      workspace,
      base,
      `echo '{"lockfileVersion": 9}' > package-lock.json; echo 'echo evil > node_modules/x; echo evil > "$npm_config_cache/log"' >> install.sh
       echo evil > "$npm_config_cache/log"; test "$(cat "$npm_config_cache/log")" = evil`,
    );
    const { tree } = await workspace.snapshot('turn');
    const evil = await ready(workspace, tree);
    assert.notEqual(evil.key, base.key);
    const check = await workspace.checkTree(tree, evil);
    assert.equal(await fixture.inJail(workspace, check.mounts, 'cat node_modules/x'), 'evil\n');
    // The user takes over the lock file and not the script; its setup begins with the cache of the user's earlier one.
    writeFiles(repo, { 'package-lock.json': '{"lockfileVersion": 9}\n' });
    commitAll(repo, 'the lock file alone');
    const next = await fixture.open(repo);
    const good = await ready(next);
    assert.equal(await inSession(next, good, 'cat node_modules/x'), 'user\n');
    assert.equal(await inSession(next, good, 'cat "$npm_config_cache/log"'), 'user\nuser\n');
    // Neither does a run that starts from the agent's own commit give anything to others.
    const { commit } = await workspace.publish({ tree, branch: 'airlock/t-1', message: 'evil\n' });
    const onTop = await fixture.workspaces.create({ runId: newId('run'), repo, base: commit });
    assert.notEqual((await ready(onTop)).key, good.key);
  });

  it('reaches no network that the user has not allowed', async () => {
    const workspace = await fixture.open(repository('{ run: mkdir node_modules, network: [registry.test, cdn.test] }'));
    const refused = workspace.prepare(workspace.baseTree, options({ allowedDomains: ['*.test.org', 'cdn.test'] }));
    await assert.rejects(
      refused,
      (error) =>
        error instanceof UserError &&
        error.code === 'setup-network' &&
        /must reach registry\.test, .*airlock\.setup\.network/.test(error.message),
    );
    assert.equal(started, 0);
  });

  it('reaches what the user has allowed, and what it downloads is there for the next one without a network', async function () {
    needProgram(this, '/usr/bin/perl');
    const asked: (string | undefined)[] = [];
    const registry = createServer((request, response) => {
      asked.push(request.url);
      response.end(greetPackage());
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    const port = z.object({ port: z.number() }).parse(registry.address()).port;
    const connected = createJails({
      egress: { resolve: () => Promise.resolve(['93.184.215.14']), connect: () => connect(port, '127.0.0.1') },
    });
    const online = new WorkspacesFixture({ jails: connected });
    try {
      const repo = makeRepository(online.folder('repo'), {
        ...npmProject('http://registry.test/greet/-/greet-1.0.0.tgz'),
        '.airlock/config.yaml': 'setup: { run: npm ci, network: ["registry.test:80"] }\n',
      });
      const connections: unknown[] = [];
      const first = await online.open(repo);
      const dependencies = await ready(first, undefined, {
        allowedDomains: ['*.test', 'registry.test'],
        onConnection: ({ kind, host }: EgressConnection) => connections.push([kind, host]),
      });
      const { mounts, environment } = await first.sessionView(dependencies);
      assert.equal(await online.inJail(first, mounts, 'node test.js', environment), 'hello from greet\n');
      assert.deepEqual([asked, connections], [['/greet/-/greet-1.0.0.tgz'], [['allowed', 'registry.test']]]);
      writeFiles(repo, { '.airlock/config.yaml': 'setup: npm ci --offline\n' });
      commitAll(repo, 'without a network');
      await ready(await online.open(repo));
      assert.equal(asked.length, 1);
    } finally {
      registry.close();
      await online.dispose();
      await connected.shutdown();
    }
  });

  it('makes room: what was used longest ago goes, and what is in use stays', async () => {
    const repo = repository('mkdir node_modules; head -c 100000 /dev/zero > node_modules/x');
    const held: Dependencies[] = [];
    for (const version of [1, 2, 3]) {
      writeFiles(repo, { 'package-lock.json': `{"lockfileVersion": 1${version}}\n` });
      commitAll(repo, `lock ${version}`);
      held.push(await ready(await fixture.open(repo), undefined, { maxKeptBytes: 250_000 }));
      if (version === 2) held[1]?.release();
    }
    assert.deepEqual(
      keptOf(fixture)
        .map((folder) => basename(folder))
        .sort(),
      [held[0]?.key, held[2]?.key].sort(),
    );
  });

  it('is not asked for in a repository without one', async () => {
    const workspace = await fixture.open(makeRepository(fixture.folder('plain')));
    assert.deepEqual(await workspace.prepare(workspace.baseTree, options()), { kind: 'none' });
    assert.equal(git(workspace.repo, 'status', '--porcelain'), '');
  });
});

function wordsOf(preparation: Preparation): string {
  return preparation.kind === 'failed' ? Buffer.from(preparation.end.output).toString() : '';
}

/** Folders of what is kept, of all repositories. */
function keptOf(fixture: WorkspacesFixture): string[] {
  const top = join(fixture.storage, 'dependencies');
  return readdirSync(top).flatMap((repository) =>
    readdirSync(join(top, repository)).map((name) => join(top, repository, name)),
  );
}
