import assert from 'node:assert/strict';
import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { CancelledError } from '../../src/base/errors';
import { assertSucceeded, hostProcesses, type JailRoom, needProgram, openJailRoom } from './jailRoom';

const mebibyte = 1024 ** 2;

describe('using a machine up from a jail', () => {
  let room: JailRoom;

  before(async () => {
    room = await openJailRoom();
  });

  after(() => room.close());

  it('ends with its time, with everything that it started', async () => {
    const mark = `31.${process.pid}`;
    const ran = await room.sh(`sleep ${mark} & setsid sleep ${mark} & (trap '' TERM; sleep ${mark}) & wait`, {
      policy: room.policy({ limits: { wallMs: 400 } }),
    });
    assert.deepEqual({ exitCode: ran.exitCode, limit: ran.result.breach?.limit }, { exitCode: null, limit: 'wallMs' });
    assert.deepEqual(hostProcesses(`sleep ${mark}`), []);
  });

  it('is held to its processor time, in one process or in many that are dead by then', async () => {
    const policy = room.policy({ limits: { cpuMs: 700 } });
    const scripts = ['ulimit -Ht; while :; do :; done', 'while :; do (for ((n = 0; n < 5000; n++)); do :; done); done'];
    const [one, many] = await Promise.all(scripts.map((script) => room.sh(script, { policy })));
    assert.equal(one?.stdout, '3\n', 'the kernel ends one process later');
    for (const { result } of [one, many].flatMap((ran) => ran ?? [])) {
      assert.equal(result.breach?.limit, 'cpuMs');
      assert.match(result.breach.detail, /^used \d+ ms of processor time of 700$/);
    }
  });

  it('is held to its memory, private and shared', async function () {
    needProgram(this, '/usr/bin/perl');
    const limits = { memoryBytes: 128 * mebibyte, wallMs: 15_000 };
    const hold = 'sleep 20';
    const private_ = await room.run(['/usr/bin/perl', '-e', `my $x = "x" x ${400 * mebibyte}; ${hold}`], {
      policy: room.policy({ limits }),
    });
    assert.equal(private_.result.breach?.limit, 'memoryBytes');
    const shared =
      'for my $n (1..8) { fork or do { my $x = "x" x ' + String(40 * mebibyte) + `; ${hold}; exit } } sleep 20`;
    const many = await room.run(['/usr/bin/perl', '-e', shared], { policy: room.policy({ limits }) });
    assert.equal(many.result.breach?.limit, 'memoryBytes');
  });

  it('does not count memory twice that processes share', async function () {
    needProgram(this, '/usr/bin/perl');
    const script = `my $x = "x" x ${60 * mebibyte}; for (1..6) { fork or do { select(undef, undef, undef, 0.6); exit } } 1 while wait != -1`;
    const ran = await room.run(['/usr/bin/perl', '-e', script], {
      policy: room.policy({ limits: { memoryBytes: 200 * mebibyte } }),
    });
    assertSucceeded(ran);
  });

  it('is held to the memory of one process by the kernel', async function () {
    needProgram(this, '/usr/bin/perl');
    const policy = room.policy({ limits: { dataBytes: 64 * mebibyte } });
    const ran = await room.run(['/usr/bin/perl', '-e', `my $x = "x" x ${200 * mebibyte}; print "got it"`], { policy });
    assert.deepEqual({ stdout: ran.stdout, failed: ran.exitCode !== 0 }, { stdout: '', failed: true });
  });

  it('survives a fork bomb', async () => {
    const policy = room.policy({ limits: { processes: 60, wallMs: 15_000 } });
    const ran = await room.sh('bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 10', { policy });
    assert.deepEqual(
      { exitCode: ran.exitCode, limit: ran.result.breach?.limit },
      { exitCode: null, limit: 'processes' },
    );
    assertSucceeded(await room.run(['/bin/true']));
  });

  it('is held to its disk, even by files that are deleted and still open', async () => {
    const policy = room.policy({ limits: { diskBytes: 32 * mebibyte, wallMs: 15_000 } });
    const fill = 'head -c 100000000 /dev/zero';
    const plain = await room.sh(`${fill} >big; sleep 10`, { policy });
    assert.equal(plain.result.breach?.limit, 'diskBytes');
    const unlinked = await room.sh(`rm -f big; exec 9>big; rm big; ${fill} >&9; sleep 10`, { policy });
    assert.equal(unlinked.result.breach?.limit, 'diskBytes');
  });

  it('is held to the size of its memory folders and of one file', async () => {
    const policy = room.policy({ limits: { tmpBytes: mebibyte, fileBytes: 2 * mebibyte } });
    const ran = await room.sh(
      `for path in /tmp/f ~/f /dev/shm/f f; do head -c 8000000 /dev/zero >$path; stat -c %s $path; done 2>/dev/null; true`,
      { policy },
    );
    assert.deepEqual(ran.stdout.trim().split('\n'), [...Array<string>(3).fill(String(mebibyte)), String(2 * mebibyte)]);
    assert.equal((await lstat(join(room.workspace, 'f'))).size, 2 * mebibyte);
  });

  it('is held to its open files', async () => {
    const ran = await room.sh('ulimit -Hn; ulimit -n 100000 2>/dev/null || echo refused', {
      policy: room.policy({ limits: { openFiles: 50 } }),
    });
    assert.equal(ran.stdout, '50\nrefused\n');
  });

  it('keeps what it may of 200 MB of output, and its memory', async () => {
    const before = process.memoryUsage().rss;
    const policy = room.policy({ limits: { outputBytes: 100_000, wallMs: 60_000 } });
    const { result } = await room.sh('head -c 200000000 /dev/zero', { policy });
    assert.deepEqual(
      {
        exitCode: result.exitCode,
        kept: result.output.length,
        stdout: result.stdout.length,
        dropped: result.droppedBytes,
      },
      { exitCode: 0, kept: 100_000, stdout: 100_000, dropped: 199_900_000 },
    );
    assert.ok(process.memoryUsage().rss - before < 64 * mebibyte, 'memory is bounded');
  });

  it('streams its output as it comes, and somewhere else when asked to', async () => {
    const seen: string[] = [];
    const chunks: Buffer[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
    const ran = await room.sh('head -c 300000 /dev/zero; echo seen >&2', {
      stdoutTo: sink,
      onOutput: (stream, bytes) => seen.push(`${stream} ${Buffer.from(bytes).toString()}`),
      policy: room.policy({ limits: { outputBytes: 10 } }),
    });
    assert.deepEqual(
      { bytes: Buffer.concat(chunks).length, stdout: ran.stdout, stderr: ran.stderr, seen },
      { bytes: 300_000, stdout: '', stderr: 'seen\n', seen: ['stderr seen\n'] },
    );
  });

  it('fails when what it streams to breaks, and is dead then', async () => {
    const mark = `32.${process.pid}`;
    const sink = new Writable({ write: (_chunk, _encoding, done) => done(new Error('the pack is broken')) });
    await assert.rejects(room.sh(`echo x; sleep ${mark}`, { stdoutTo: sink }), /the pack is broken/);
    assert.deepEqual(hostProcesses(`sleep ${mark}`), []);
  });

  it('reads what it is given, and nothing when it is given nothing', async () => {
    const given = await room.run(['/bin/cat'], { stdin: Buffer.from('given') });
    assert.equal(given.stdout, 'given');
    assert.equal((await room.run(['/bin/cat'])).stdout, '');
    const unread = await room.run(['/bin/true'], { stdin: Buffer.alloc(4 * mebibyte) });
    assertSucceeded(unread);
  });

  it('is ended by whoever asked for it, with all that it started', async () => {
    const mark = `33.${process.pid}`;
    const controller = new AbortController();
    const running = room.sh(`setsid sleep ${mark} & echo ready; wait`, {
      signal: controller.signal,
      onOutput: () => controller.abort(),
    });
    await assert.rejects(running, CancelledError);
    assert.deepEqual(hostProcesses(`sleep ${mark}`), []);
    await assert.rejects(room.run(['/bin/true'], { signal: controller.signal }), CancelledError);
  });

  it('reports how a command ended as a shell would', async () => {
    const codes = await Promise.all(
      ['exit 0', 'exit 3', 'kill -TERM $$', 'exec /no/such/program'].map((script) => room.sh(script)),
    );
    assert.deepEqual(
      codes.map(({ exitCode }) => exitCode),
      [0, 3, 128 + 15, 127],
    );
    assert.equal((await room.run(['/no/such/program'])).exitCode, 127);
  });

  it('does not start without what it was to see', async () => {
    const policy = room.policy({ mounts: [{ from: join(room.root, 'gone'), at: '/workspace', access: 'read' }] });
    await assert.rejects(room.run(['/bin/true'], { policy }), { code: 'mount-missing' });
  });

  it('says so when a jail cannot be built', async () => {
    await writeFile(join(room.root, 'file'), '');
    const policy = room.policy({ mounts: [{ from: join(room.root, 'file'), at: '/usr/new/file', access: 'read' }] });
    await assert.rejects(room.run(['/bin/true'], { policy }), { code: 'jail-unavailable' });
  });
});
