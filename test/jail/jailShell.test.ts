import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needProgram } from './jailRoom';

const airlock = [process.execPath, 'dist/airlock.js', 'sh'] as const;
const [node, ...nodeArgs] = airlock;

describe('airlock sh', function () {
  this.timeout(60_000);
  let root: string;
  let folder: string;

  const sh = (args: readonly string[], input = ''): SpawnSyncReturns<string> =>
    spawnSync(node, [...nodeArgs, '--workspace', folder, ...args], { encoding: 'utf8', input });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'airlock-sh-test-'));
    folder = join(root, 'project');
    await mkdir(folder, { mode: 0o700 });
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it('runs one command on the folder, with its input, output and exit code', async () => {
    await writeFile(join(folder, 'file'), 'was here\n', { mode: 0o600 });
    const ran = sh(['-c', 'cat file -; echo made >made; echo error >&2; exit 7'], 'given\n');
    assert.deepEqual(
      { status: ran.status, stdout: ran.stdout, stderr: ran.stderr, names: await readdir(folder) },
      { status: 7, stdout: 'was here\ngiven\n', stderr: 'error\n', names: ['file', 'made'] },
    );
  });

  it('leaves the folder to its owner, with what was made in it', async () => {
    await mkdir(join(folder, 'nested/.git'), { recursive: true });
    const outside = join(root, 'outside');
    await writeFile(outside, 'as it was', { mode: 0o644 });
    await link(outside, join(folder, 'linked'));
    const ran = sh([
      '-c',
      'mkdir -p a/.git && touch a/.git/x && ln a/.git/x b && ln -s /etc/passwd link && cp /bin/true t && chmod 6755 t; echo x >linked',
    ]);
    const privileged = process.geteuid?.() === 0;
    const made = await Promise.all(
      ['.', 'a', 'a/.git/x', 'b', 'link', 't', 'nested'].map((name) => lstat(join(folder, name))),
    );
    assert.deepEqual(
      made.map(({ uid, gid }) => [uid, gid]),
      made.map(() => [process.getuid?.(), process.getgid?.()]),
    );
    assert.equal((await lstat('/etc/passwd')).uid, 0);
    if (privileged) {
      assert.equal((made[5]?.mode ?? 0) & 0o6000, 0, 'no program became one of root');
      assert.deepEqual([ran.status, await readFile(outside, 'utf8')], [1, 'as it was']);
    }
  });

  it('shows nothing of git, and leaves nothing that git outside would obey', async () => {
    spawnSync('git', ['init', '--quiet', folder]);
    await writeFile(join(folder, '.git/config'), '[remote "origin"]\n\turl = https://token-1234@example.org/x\n');
    const before = await readFile(join(folder, '.git/config'), 'utf8');
    const ran = sh([
      '-c',
      'grep -r token .; rm -rf .git; mv .git gone; echo x >.git/config; mkdir -p .git/hooks; echo x >.envrc; echo x >.vscode/tasks.json; ls',
    ]);
    assert.deepEqual(
      [ran.stdout, await readFile(join(folder, '.git/config'), 'utf8'), await readdir(folder)],
      ['', before, ['.git']],
    );
  });

  it('changes nothing when it is only to look', async () => {
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'file'), 'seen', { mode: 0o644 });
    const ran = sh(['--read-only', '-c', 'cat file; echo x >file; echo x >new; chmod 777 file']);
    assert.deepEqual(
      [ran.stdout, await readFile(join(folder, 'file'), 'utf8'), await readdir(folder)],
      ['seen', 'seen', ['file']],
    );
  });

  it('says why it runs nothing, and answers 2', async () => {
    const refused = sh(['--workspace', '/etc', '-c', 'echo ran']);
    assert.deepEqual([refused.status, refused.stdout], [2, '']);
    assert.match(refused.stderr, /belongs to the system.*Name the folder of one project/s);
    const script = `
      const { sh } = require('./src/cli/sh.ts');
      const codeOf = (workspace) => sh({ workspace, command: 'echo ran', readOnly: false }).then(String, (error) => error.code);
      (async () => {
        const codes = [];
        for (const workspace of ['/', require('node:os').homedir(), ${JSON.stringify(join(root, 'missing'))}]) codes.push(await codeOf(workspace));
        Object.defineProperty(process, 'arch', { value: 'mips' });
        codes.push(await codeOf(${JSON.stringify(folder)}));
        console.log(codes.join(' '));
      })();`;
    const ran = spawnSync(node, ['--import', 'tsx', '-e', script], { encoding: 'utf8' });
    assert.equal(ran.stdout, 'workspace-unsafe workspace-unsafe workspace-unsafe jail-unavailable\n', ran.stderr);
    assert.equal(sh([]).status, 2, 'there is no terminal for a shell');
  });

  it('gives the folder back when its output is not wanted any more, and when it is interrupted', async () => {
    const ended = async (child: ReturnType<typeof spawn>): Promise<unknown> => {
      const [code] = (await once(child, 'exit')) as [unknown];
      const { uid } = await lstat(folder);
      return { code, owned: uid === process.getuid?.(), names: await readdir(folder) };
    };
    const start = (): ReturnType<typeof spawn> =>
      spawn(node, [...nodeArgs, '--workspace', folder, '-c', 'while :; do echo yes; sleep 0.01; done'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    const unread = start();
    unread.stdout?.once('data', () => unread.stdout?.destroy());
    assert.deepEqual(await ended(unread), { code: 0, owned: true, names: [] });
    const interrupted = start();
    interrupted.stdout?.once('data', () => interrupted.kill('SIGTERM'));
    assert.deepEqual(await ended(interrupted), { code: 130, owned: true, names: [] });
  });

  it('gives back at the next use what a killed one had', async () => {
    await writeFile(join(folder, 'file'), '');
    const killed = spawn(node, [...nodeArgs, '--workspace', folder, '-c', 'echo ready; sleep 61'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    assert.equal(sh(['-c', 'true']).status, 0);
    const { uid } = await lstat(join(folder, 'file'));
    assert.deepEqual([uid, await readdir(folder)], [process.getuid?.(), ['file']]);
  });

  it('lets several work on one folder at once', async () => {
    const running = [1, 2, 3].map((count) =>
      spawn(node, [...nodeArgs, '--workspace', folder, '-c', `sleep 0.${count}; echo x >${count}`], {
        stdio: 'ignore',
      }),
    );
    const codes = await Promise.all(running.map(async (child) => ((await once(child, 'exit')) as [unknown])[0]));
    const { uid } = await lstat(folder);
    assert.deepEqual([codes, await readdir(folder), uid], [[0, 0, 0], ['1', '2', '3'], process.getuid?.()]);
  });

  it('is a shell with jobs on a terminal, which it leaves as it was', async function () {
    needProgram(this, '/usr/bin/script');
    const command = [...airlock, '--workspace', folder].map((word) => `'${word}'`).join(' ');
    const typed = 'stty size; sleep 77 & jobs; tty; echo made >made; exit 5\n';
    const child = spawn(
      '/usr/bin/script',
      ['-qec', `stty rows 33 cols 99; ${command}; echo "code $?"; stty -a`, '/dev/null'],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => {
      const isFirst = !text.includes('$');
      text += bytes.toString();
      if (isFirst && text.includes('$')) child.stdin.write(typed);
    });
    await once(child, 'close');
    assert.match(text, /33 99/);
    assert.match(text, /\[1\]\+\s+Running\s+sleep 77/);
    assert.match(text, /code 5/);
    assert.match(text, /\secho\s/, 'the terminal echoes again');
    assert.deepEqual(await readdir(folder), ['made']);
  });
});
