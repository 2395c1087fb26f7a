import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertSucceeded, type JailRoom, needProgram, openJailRoom } from './jailRoom';

describe('what people build with works in a jail', () => {
  let room: JailRoom;

  before(async () => {
    room = await openJailRoom();
  });

  after(() => room.close());

  it('Node, with children on pipes, on a message channel, and worker threads', async () => {
    const script = `
      const { execFileSync, fork, spawn } = require('node:child_process');
      const { Worker, isMainThread } = require('node:worker_threads');
      if (process.argv[2] === 'child') { process.send('message'); process.disconnect(); }
      else {
        console.log(execFileSync('/bin/echo', ['sync']).toString().trim());
        spawn('/bin/cat', { stdio: ['pipe', 'pipe', 'pipe'] }).on('close', (code) => console.log('cat', code)).stdin.end('x');
        fork(__filename, ['child']).on('message', (message) => console.log(message));
        new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }).on('message', () => console.log('worker'));
      }`;
    await writeFile(join(room.workspace, 'script.js'), script, { mode: 0o644 });
    const ran = await room.sh('node script.js');
    assertSucceeded(ran);
    assert.deepEqual(ran.stdout.trim().split('\n').sort(), ['cat 0', 'message', 'sync', 'worker']);
  });

  it('npm', async () => {
    const ran = await room.sh('npm --version && npm init --yes >/dev/null && npm test');
    assert.equal(ran.exitCode, 1);
    assert.match(ran.stdout + ran.stderr, /no test specified/);
  });

  it('git', async () => {
    const ran = await room.sh(`git init --quiet repo && cd repo && echo x >file && git add file
      git -c user.name=agent -c user.email=a@b commit --quiet -m first && git clone --quiet . ../clone && git -C ../clone log --format=%s`);
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'first\n');
  });

  it('a compiler', async function () {
    needProgram(this, '/usr/bin/gcc');
    const ran = await room.sh('echo "int main(void) { return 42; }" >/tmp/a.c && gcc -o a /tmp/a.c && ./a');
    assert.deepEqual({ exitCode: ran.exitCode, stderr: ran.stderr }, { exitCode: 42, stderr: '' });
  });

  it('Python, with processes and shared memory', async function () {
    needProgram(this, '/usr/bin/python3');
    const script =
      'import multiprocessing as m, ssl\nif __name__ == "__main__":\n  with m.Pool(2) as p: print(sum(p.map(abs, [-1, -2])))';
    await writeFile(join(room.workspace, 'pool.py'), script, { mode: 0o644 });
    const ran = await room.sh('python3 pool.py');
    assertSucceeded(ran);
    assert.equal(ran.stdout, '3\n');
  });

  it('the environment of the policy, and nothing of the host', async () => {
    const ran = await room.run(['/usr/bin/env'], {
      policy: room.policy({ environment: { CI: 'true', SAYING: "it's = fine" } }),
    });
    assertSucceeded(ran);
    assert.deepEqual(
      ran.stdout
        .trim()
        .split('\n')
        .sort()
        // The path and the roots of this machine's tool chains.
        .filter((line) => !/^(PATH|JAVA_HOME|DOTNET_ROOT)=/.test(line)),
      [
        ...[
          'CI=true',
          'HOME=/home/agent',
          'LANG=C.UTF-8',
          'PWD=/workspace',
          "SAYING=it's = fine",
          'TERM=dumb',
          'TMPDIR=/tmp',
          'USER=agent',
        ],
      ],
    );
  });
});
