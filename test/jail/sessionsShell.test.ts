import { strict as assert } from 'node:assert';
import type { Session } from '../../src/core/session';
import { ok, patient, SessionsFixture, words } from './sessionsFixture';

describe("the agent's shell in a jail", () => {
  let fixture: SessionsFixture;
  let session: Session;

  before(async () => {
    fixture = new SessionsFixture();
    session = await fixture.open();
  });

  after(() => fixture.dispose());

  const run = async (command: string, options = {}) => words(await session.exec(command, { ...patient, ...options }));

  it('runs a command and tells its output and exit code', async () => {
    assert.deepEqual(await run('echo out; echo err >&2; (exit 7)'), {
      kind: 'exited',
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('keeps folder, variables and functions for the next command', async () => {
    await run('mkdir -p deep/er && cd deep/er && export A=1 && B=2 && f() { echo "f $1"; }');
    assert.deepEqual(await run('pwd; echo $A $B; f x; sh -c "echo $A"'), ok('/workspace/deep/er\n1 2\nf x\n1\n'));
    await run('cd /workspace');
  });

  it('takes any text as a command, byte for byte', async () => {
    const text = `'"\\$HOME \`id\` !! \t 🦉 \u00a0 %s`;
    assert.deepEqual(await run(`cat <<'END'\n${text}\nEND`), ok(`${text}\n`));
    assert.deepEqual(await run('# only a comment'), ok(''));
    assert.deepEqual(await run(''), ok(''));
    assert.deepEqual(await run('\n\necho a\n\necho b\n'), ok('a\nb\n'));
    assert.deepEqual(await run(`: ${'x'.repeat(200_000)}; echo long`), ok('long\n'));
  });

  it('gives back bytes as they are, NUL and broken UTF-8 included', async () => {
    const result = await session.exec(String.raw`printf 'a\0b\xff\xfe\x1e\036\xe2\x82'`, patient);
    assert.deepEqual([...result.stdout], [0x61, 0, 0x62, 0xff, 0xfe, 0x1e, 0x1e, 0xe2, 0x82]);
  });

  it('is in no way confused by what looks like its own markers', async () => {
    const nonce = '\\036' + '0'.repeat(32) + '\\036';
    assert.equal((await run(`printf '${nonce}'; printf '${nonce}' >&2; echo x`)).exitCode, 0);
    assert.deepEqual(await run('echo next'), ok('next\n'));
  });

  it('gives nothing to read on stdin', async () => {
    assert.deepEqual(await run('cat; read line; echo "$? ${line:-nothing}"; wc -c'), ok('1 nothing\n0\n'));
  });

  it('hands on only three descriptors, which can be opened again by name', async () => {
    assert.deepEqual(await run('sh -c "ls /proc/self/fd" | tr "\\n" " "'), ok('0 1 2 3 '));
    assert.deepEqual(await run('echo again > /dev/stdout; echo err > /dev/stderr'), {
      ...ok('again\n'),
      stderr: 'err\n',
    });
  });

  it('has no terminal, and cannot open the one of the session as its own', async () => {
    const { stdout, stderr } = await run('tty; true < /dev/tty || echo none');
    assert.equal(stdout, 'not a tty\nnone\n');
    assert.match(stderr, /\/dev\/tty: No such device or address/);
  });

  describe('when a command does something to its shell', () => {
    const ends: Record<string, number> = {
      'exit 3': 3,
      'exec true': 0,
      'exec sh -c "exit 9"': 9,
      'kill $$': 143,
      'kill -9 $$': 137,
      'set -e; false': 1,
      'set -u; echo $not_there': 1,
      'trap "exit 4" EXIT; exit 5': 4,
      'exec not-a-program-at-all': 127,
    };
    for (const [command, exitCode] of Object.entries(ends)) {
      it(`says that "${command}" ended the shell, and has another in the same folder`, async () => {
        await run('mkdir -p "/workspace/o ther" && cd "/workspace/o ther"');
        const result = await run(`echo before; ${command}`);
        assert.deepEqual({ ...result, stderr: '' }, { kind: 'shellEnded', exitCode, stdout: 'before\n', stderr: '' });
        assert.deepEqual(await run('pwd'), ok('/workspace/o ther\n'));
      });
    }

    it('survives what stays within the command', async () => {
      for (const command of [
        'exec >/dev/null 2>&1',
        'exec 1>&- 2>&-',
        'exec </dev/zero',
        "echo 'unclosed",
        'cat <<EOF',
        'if true; then',
        ')',
        'set -x; true; set +x',
        'set -v; true; set +v',
        'set -f -C -o posix; set +f +C +o posix',
        'IFS=0123456789; unset PATH; PATH=/usr/bin:/bin; unset IFS PWD OLDPWD',
        'shopt -s expand_aliases; alias printf=false builtin=false command=false',
        'umask 777; umask 022',
        'trap "echo debug" DEBUG; trap "echo err" ERR; true; trap - DEBUG ERR',
      ]) {
        await run(command);
        assert.deepEqual(await run('\\echo fine'), ok('fine\n'), command);
      }
    });

    for (const command of [
      'set -n',
      'printf() { :; }; builtin() { :; }; command() { :; }',
      'enable -n printf',
      'kill -STOP $$',
      'for fd in /proc/$$/fd/*; do : >$fd; done; for n in {3..255}; do eval "exec $n>&-"; done; set -n',
      'while :; do :; done',
      'while sleep 1; do :; done',
      'trap "" TERM INT; sleep 600 & wait; sleep 600',
    ]) {
      it(`gets over "${command}" by its time limit`, async () => {
        // What only spoils the shell for the next command shows there.
        const first = await run(command, { timeoutMs: 300 });
        const spoiled = first.kind === 'exited' ? await run('true', { timeoutMs: 300 }) : first;
        assert.ok(spoiled.kind === 'timedOut' || spoiled.kind === 'shellEnded', spoiled.kind);
        assert.deepEqual(await run('echo fine'), ok('fine\n'));
      });
    }
  });

  describe('when a command takes too long', () => {
    it('keeps what it said, and ends its children, whatever they became', async () => {
      const result = await run(
        'echo said; sleep 9001 & setsid sleep 9002 & (setsid sh -c "trap \\"\\" TERM; sleep 9003; true" & ) ; sleep 9004',
        { timeoutMs: 400 },
      );
      assert.deepEqual(result, { kind: 'timedOut', exitCode: null, stdout: 'said\n', stderr: result.stderr });
      assert.deepEqual(await run('pgrep -f "sleep 900[0-9]" || echo none'), ok('none\n'));
    });

    it('keeps the shell when ending the children is enough', async () => {
      await run('kept=yes; cd /tmp');
      assert.equal((await run('sleep 600', { timeoutMs: 100 })).kind, 'timedOut');
      assert.deepEqual(await run('echo $kept; pwd; cd /workspace'), ok('yes\n/tmp\n'));
    });

    it('leaves alone what earlier commands started', async () => {
      await run('sleep 9005 & echo $! > /tmp/pid; sleep 0.05');
      await run('sleep 600', { timeoutMs: 100 });
      assert.deepEqual(await run('kill -0 $(cat /tmp/pid) && echo alive; kill $(cat /tmp/pid)'), ok('alive\n'));
    });

    it('does the same when the caller cancels, at once when it is cancelled before', async () => {
      const controller = new AbortController();
      const result = run('echo a; sleep 600', { signal: controller.signal });
      setImmediate(() => setImmediate(() => controller.abort()));
      assert.equal((await result).kind, 'cancelled');
      assert.equal((await run('echo never > /workspace/never', { signal: AbortSignal.abort() })).kind, 'cancelled');
      assert.deepEqual(await run('ls /workspace/never 2>/dev/null || echo none'), ok('none\n'));
    });
  });

  it('does not wait for what was left running in the background, however much it writes', async () => {
    assert.deepEqual(await run('sleep 600 & echo started'), ok('started\n'));
    assert.equal((await run('yes & echo $! > /tmp/yes')).kind, 'exited');
    for (let count = 0; count < 5; count += 1) assert.equal((await run('true')).kind, 'exited');
    await run('kill $(cat /tmp/yes); wait $(cat /tmp/yes)');
    await run('true');
    assert.deepEqual(await run('echo quiet'), ok('quiet\n'));
  });

  it('runs one command after the other, in the order of asking', async () => {
    const results = await Promise.all([1, 2, 3, 4].map((n) => run(`sleep 0.0${5 - n}; echo ${n}`)));
    assert.deepEqual(
      results,
      [1, 2, 3, 4].map((n) => ok(`${n}\n`)),
    );
  });
});
