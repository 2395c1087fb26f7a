import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { git, makeRepository } from '../unit/workspaces/sampleRepository';
import { type JailRoom, needProgram, openJailRoom } from './jailRoom';
import { contentsOf, WorkspacesFixture } from './workspacesFixture';

const token = 'bait-91c4';

/** What attackers look for is laid out on the host for anyone to take; they know every path. The same program takes it outside. */
describe('bait on the host', () => {
  let room: JailRoom;

  before(async () => {
    room = await openJailRoom();
  });

  after(() => room.close());

  describe('that is a socket', () => {
    const variables = ['SSH_AUTH_SOCK', 'VSCODE_IPC_HOOK_CLI', 'VSCODE_GIT_IPC_HANDLE', 'DBUS_SESSION_BUS_ADDRESS'];
    const names = ['agent.1', 'vscode-ipc.sock', 'vscode-git.sock', 'executor.sock', 'model.sock'];
    const servers: Server[] = [];
    const before = new Map(variables.map((name) => [name, process.env[name]]));
    let reached: string[];
    let paths: string[];

    beforeEach(async () => {
      reached = [];
      // As short as the runtime folders of the real ones.
      const folder = join(room.root, 's');
      mkdirSync(folder);
      paths = names.map((name) => join(folder, name));
      for (const path of paths) {
        const server = createServer((socket) => {
          reached.push(path);
          socket.on('error', () => {}).end(token);
        });
        servers.push(server.listen(path));
        await once(server, 'listening');
        chmodSync(path, 0o777);
      }
      for (const [index, name] of variables.entries()) process.env[name] = paths[index];
    });

    afterEach(async () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    });

    it("is out of reach: ssh-agent, VS Code's own, the executor's and the model's", async function () {
      needProgram(this, '/usr/bin/perl');
      const list = paths.map((path) => `"${path}"`).join(', ');
      const script = `use Socket; $SIG{PIPE} = "IGNORE";
        print "$_\\n" for grep { exists $ENV{$_} } qw(${variables.join(' ')});
        for my $path (${list}, grep { defined } @ENV{qw(${variables.join(' ')})}) {
          for my $at ($path, "/proc/1/root$path", "/proc/self/root/..$path", "\\0$path") {
            socket(my $s, AF_UNIX, SOCK_STREAM, 0) or next;
            print scalar(<$s>), "\\n" if connect($s, pack_sockaddr_un($at));
          } }`;
      const { stdout, exitCode } = await room.run(['/usr/bin/perl', '-e', script]);
      assert.deepEqual({ stdout, exitCode, reached }, { stdout: '', exitCode: 0, reached: [] });
      // Through another process: this one has to answer meanwhile.
      const control = spawnControl(script);
      await once(control, 'close');
      assert.deepEqual([...new Set(reached)].sort(), [...paths].sort(), 'outside all of them are reached');
    });
  });

  describe('that is a file', () => {
    it('is not read: a sibling repository, its remote with a password, the store of the executor', async () => {
      const sibling = makeRepository(join(room.root, 'sibling'), { 'secret.txt': token });
      git(sibling, 'remote', 'add', 'origin', `https://user:${token}@example.org/x.git`);
      const store = join(room.root, 'storage/blobs/ab');
      mkdirSync(store, { recursive: true });
      writeFileSync(join(store, 'abcd'), token);
      const script = `for start in "" /proc/1/root /proc/self/cwd/../.. /workspace/..; do
          cat "$start${sibling}/secret.txt" "$start${sibling}/.git/config" "$start${store}/abcd"
          git -c safe.directory='*' -C "$start${sibling}" remote -v
        done 2>/dev/null | grep -o ${token} | sort | uniq -c | tr -s ' '
        clone=$(mktemp -d); git -c safe.directory='*' clone -q "file://${sibling}" $clone/c 2>/dev/null && echo cloned; rm -rf $clone`;
      const { stdout } = await room.sh(`${script}; true`);
      assert.equal(stdout, '');
      const outside = spawnSync('/bin/bash', ['-c', script], { encoding: 'utf8', cwd: room.workspace }).stdout;
      assert.match(outside, /bait-91c4\ncloned/);
    });

    it('is not written by a second name for it: links to shared dependencies, to the system, to open files', async () => {
      const shared = join(room.root, 'store');
      mkdirSync(join(shared, 'package'), { recursive: true });
      writeFileSync(join(shared, 'package/index.js'), 'as it was');
      chmodSync(join(shared, 'package/index.js'), 0o666);
      const policy = room.policy({
        mounts: [...room.policy().mounts, { from: shared, at: '/workspace/node_modules', access: 'read' }],
      });
      const before = lstatSync(join(shared, 'package/index.js'));
      const { stdout } = await room.sh(
        `for file in node_modules/package/index.js /usr/bin/env /etc/hosts; do
           ln "$file" mine; cp --link "$file" mine; ln -L "/proc/self/fd/3" mine 3<"$file"
           [ -e mine ] && echo "linked $file"; echo x >>"$file"; echo x >>"/proc/self/fd/3" 3<"$file"; rm -f mine
         done 2>/dev/null
         mv node_modules moved 2>/dev/null && echo moved; rm -rf node_modules 2>/dev/null; ls node_modules/package`,
        { policy },
      );
      const after = lstatSync(join(shared, 'package/index.js'));
      assert.deepEqual(
        { stdout, links: after.nlink, text: readFileSync(join(shared, 'package/index.js'), 'utf8') },
        { stdout: 'index.js\n', links: before.nlink, text: 'as it was' },
      );
    });
  });
});

function spawnControl(script: string) {
  return spawn('/usr/bin/perl', ['-e', script], { stdio: 'ignore' });
}

/** The same user works on the host afterwards, with a git that obeys whatever it finds. */
describe('what a run leaves for the host', () => {
  let fixture: WorkspacesFixture;

  beforeEach(() => {
    fixture = new WorkspacesFixture();
  });

  afterEach(() => fixture.dispose());

  it('runs nothing there, wherever it was planted, and shows no password of the repository', async function () {
    this.timeout(60_000);
    const repo = makeRepository(fixture.folder('repo'), { a: 'a\n', 'sub/b': 'b\n' });
    git(repo, 'remote', 'add', 'origin', `https://user:${token}@example.org/x.git`);
    git(repo, 'config', 'http.extraHeader', `Authorization: Basic ${token}`);
    const before = contentsOf(join(repo, '.git'));
    const ran = fixture.folder('ran');
    mkdirSync(ran);
    chmodSync(ran, 0o777);
    const control = makeRepository(fixture.folder('control'), { a: 'a\n' });
    git(control, 'config', 'core.fsmonitor', `touch '${ran}/control'`);
    git(control, 'status');
    assert.deepEqual(readdirSync(ran), ['control'], 'git on the host obeys');
    rmSync(join(ran, 'control'));
    const workspace = await fixture.open(repo);
    const seen = await fixture.agent(
      workspace,
      `grep -rl ${token} /workspace /tmp ~ || true; git remote -v; env | grep ${token} || true
       plant() { echo "touch '${ran}/$1'"; }
       mkdir -p .git/hooks .git/objects/info .git/modules/sub/hooks .git/worktrees/x .husky .vscode sub/nested
       plant module > .git/modules/sub/hooks/post-checkout; plant hook > .git/hooks/post-checkout
       cp .git/hooks/post-checkout .husky/pre-commit; chmod +x .git/hooks/* .git/modules/sub/hooks/* .husky/*
       git config -f .git/config core.fsmonitor "$(plant fsmonitor)"; git config -f .git/config core.hooksPath .husky
       git config -f .git/config core.pager "$(plant pager)";
       printf '[submodule "x"]\\n path = sub\\n url = "ext::sh -c %s"\\n' "$(plant submodule)" > .gitmodules
       echo '* filter=evil diff=evil merge=evil' > .gitattributes
       git config -f .git/config filter.evil.clean "$(plant filter)"; git config -f .git/config diff.evil.textconv "$(plant textconv)"
       printf '{"version":"2.0.0","tasks":[{"label":"x","type":"shell","command":"%s","runOptions":{"runOn":"folderOpen"}}]}' "$(plant task)" > .vscode/tasks.json
       plant envrc > .envrc
       git init -q sub/nested; git config -f sub/nested/.git/config core.fsmonitor "$(plant nested)"; echo x > sub/nested/x
       rm -rf sub; mkdir sub; echo 'gitdir: /workspace/.git/modules/sub' > sub/.git; echo b2 > sub/b
       git config -f .git/config core.worktree /
       echo '${repo}/.git' > .git/commondir; echo '${repo}/.git/objects' > .git/objects/info/alternates
       mv .git moved 2> /dev/null && echo moved; ln -sfn /etc .git 2> /dev/null; echo gitdir: /etc > .git || true`,
    );
    const reported = seen.split('\n').filter((line) => !line.includes('.git: Is a directory'));
    assert.deepEqual(reported.filter(Boolean), [], 'nothing was found, and .git stayed where it is');
    const { tree, skipped } = await workspace.snapshot('planted');
    const check = await workspace.checkTree(tree);
    await check.remove();
    const { commit } = await workspace.publish({ tree, branch: 'airlock/t-1', message: 'x' });
    await fixture.workspaces.changes(repo, workspace.baseCommit, commit);
    await fixture.workspaces.readFile(repo, commit, '.vscode/tasks.json');
    for (const command of ['status', 'log --stat --all', 'fsck', 'branch -a', 'submodule status']) {
      git(repo, ...command.split(' '));
    }
    await workspace.remove();
    assert.deepEqual(
      { ran: readdirSync(ran), skipped, left: existsSync(fixture.runFolder(workspace.runId)) },
      { ran: [], skipped: [{ path: 'sub/.git', reason: 'nested-repository' }], left: false },
    );
    const isNew = (path: string): boolean => !(path in before);
    const after = contentsOf(join(repo, '.git'));
    const changed = Object.keys(after).filter((path) => isNew(path) || before[path] !== after[path]);
    const expected = /^(objects|refs\/heads\/airlock|logs\/refs\/heads\/airlock|index$)/;
    assert.deepEqual(
      changed.filter((path) => !expected.test(path)),
      [],
    );
    const names = git(repo, 'ls-tree', '-r', '--name-only', 'airlock/t-1').trim().split('\n');
    assert.deepEqual(names, [
      '.envrc',
      '.gitattributes',
      '.gitmodules',
      '.husky/pre-commit',
      '.vscode/tasks.json',
      'a',
      'sub/b',
    ]);
  });
});
