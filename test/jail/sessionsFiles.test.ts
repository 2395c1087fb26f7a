import { strict as assert } from 'node:assert';
import { chmod, lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '../../src/core/session';
import { ok, patient, SessionsFixture, words } from './sessionsFixture';

describe('files of a session', () => {
  let fixture: SessionsFixture;
  let session: Session & { readonly workspace: string };

  before(async () => {
    fixture = new SessionsFixture();
    session = await fixture.open();
  });

  after(() => fixture.dispose());

  const sh = async (command: string) => words(await session.exec(command, patient));
  const text = async (path: string) =>
    Buffer.from((await session.files.read(path, { maxBytes: 100_000 })).bytes).toString();
  const fails = (code: string) => (error: { code?: string; name?: string }) =>
    error.name === 'UserError' && error.code === code;

  it('are written whole, with the folders above them, and read back byte for byte', async () => {
    const bytes = Buffer.from([...Array(256).keys()]);
    await session.files.write('a/b/c.bin', bytes);
    assert.deepEqual(await session.files.read('a/b/c.bin', { maxBytes: 1000 }), { bytes, size: 256 });
    assert.deepEqual(await readFile(join(session.workspace, 'a/b/c.bin')), bytes);
    assert.deepEqual(await readdir(join(session.workspace, 'a/b')), ['c.bin']);
    await session.files.write('/workspace/empty', Buffer.alloc(0));
    assert.deepEqual(await session.files.read('empty', { maxBytes: 10 }), { bytes: Buffer.alloc(0), size: 0 });
  });

  it('are read in part, with the size of the whole', async () => {
    await session.files.write('part', Buffer.from('0123456789'));
    const read = async (offset: number, maxBytes: number) => {
      const { bytes, size } = await session.files.read('part', { offset, maxBytes });
      return `${Buffer.from(bytes).toString()} of ${size}`;
    };
    assert.equal(await read(0, 4), '0123 of 10');
    assert.equal(await read(3, 4), '3456 of 10');
    assert.equal(await read(8, 100), '89 of 10');
    assert.equal(await read(10, 5), ' of 10');
    assert.equal(await read(1000, 5), ' of 10');
    assert.equal(await read(0, 0), ' of 10');
  });

  it('may be large: 20 MB go in and out', async () => {
    const bytes = Buffer.alloc(20_000_000, 'line of text\n');
    await session.files.write('large', bytes);
    const { bytes: back, size } = await session.files.read('large', { maxBytes: 30_000_000 });
    assert.equal(size, bytes.length);
    assert.ok(bytes.equals(back));
  });

  for (const name of [
    '-rf',
    '--help',
    'of=x if=y',
    'new\nline',
    'line end\n',
    '\n',
    `quo'te"s\\and $(touch /tmp/owned) \`id\` !`,
    'star * ? [a]',
    'ümlaut 🦉',
    '\t\x1b[31m',
    'n'.repeat(255),
  ]) {
    it(`may be called ${JSON.stringify(name.slice(0, 40))}`, async () => {
      await session.files.write(`names/${name}`, Buffer.from(name));
      assert.equal(await text(`names/${name}`), name);
      await session.files.write(name, Buffer.from('at the top'));
      assert.equal(await text(name), 'at the top');
      assert.deepEqual(await sh('ls /tmp/owned 2>/dev/null || echo none'), ok('none\n'));
    });
  }

  it('keep their mode, and links keep leading to them', async () => {
    await sh(
      'mkdir -p m && echo old > m/script && chmod 751 m/script && ln -sf script m/link && ln -sf /workspace/m/new m/dangling',
    );
    await session.files.write('m/link', Buffer.from('new'));
    assert.equal((await stat(join(session.workspace, 'm/script'))).mode & 0o7777, 0o751);
    assert.equal(await text('m/script'), 'new');
    assert.ok((await lstat(join(session.workspace, 'm/link'))).isSymbolicLink());
    await session.files.write('m/dangling', Buffer.from('made'));
    assert.equal(await text('m/new'), 'made');
    assert.equal(await text('m/link'), 'new');
  });

  it('that are not there or not regular are refused by name', async () => {
    await sh('mkdir -p r/folder; mkfifo r/pipe; ln -sf loop r/loop; ln -sf /dev/zero r/zero; echo x > r/file');
    const cases: [string, string][] = [
      ['r/nothing', 'file-not-found'],
      ['r/file/below', 'file-not-found'],
      ['r/loop', 'file-not-found'],
      ['', 'file-not-found'],
      ['r/fi\0le', 'file-not-found'],
      ['r/folder', 'file-not-regular'],
      ['r/pipe', 'file-not-regular'],
      ['r/zero', 'file-not-regular'],
      ['/proc/1/mem', 'file-denied'],
    ];
    for (const [path, code] of cases) {
      await assert.rejects(session.files.read(path, { maxBytes: 10 }), fails(code), path);
    }
    for (const [path, code] of [
      ['r/folder', 'file-not-regular'],
      ['r/pipe', 'file-not-regular'],
      ['r/file/below', 'file-not-regular'],
      ['/usr/x', 'file-denied'],
      ['/etc/passwd', 'file-denied'],
      ['/run/airlock/x', 'file-denied'],
      ['', 'file-not-found'],
    ] as const) {
      await assert.rejects(session.files.write(path, Buffer.from('x')), fails(code), path);
    }
    assert.equal(await text('r/file'), 'x\n');
  });

  it('that may not be read are denied', async () => {
    await sh('echo secret > shut; chmod 000 shut');
    await assert.rejects(session.files.read('shut', { maxBytes: 10 }), fails('file-denied'));
    await chmod(join(session.workspace, 'shut'), 0o600);
  });

  it('of a full disk are refused, nothing of what was to be written is run, and the old file stays', async () => {
    await session.files.write('/tmp/kept', Buffer.from('old'));
    await sh('head -c 2G /dev/zero > /tmp/filler; true');
    const bytes = Buffer.from(`\n}\ntouch /workspace/ran\n`.repeat(100_000));
    await assert.rejects(session.files.write('/tmp/kept', bytes), fails('disk-full'));
    await sh('rm /tmp/filler');
    assert.equal(await text('/tmp/kept'), 'old');
    assert.deepEqual(await sh('ls /workspace/ran 2>/dev/null; ls -A /tmp'), ok('kept\n'));
    await session.files.write('/tmp/kept', Buffer.from('new'));
    assert.equal(await text('/tmp/kept'), 'new');
  });

  it('are there while the agent is busy, and whatever its shell was made into', async () => {
    const ending = new AbortController();
    let isBusy = true;
    const busy = session.exec('sleep 600', { ...patient, signal: ending.signal }).finally(() => (isBusy = false));
    await session.files.write('meanwhile', Buffer.from('x'));
    assert.equal(await text('meanwhile'), 'x');
    assert.deepEqual(words(await session.files.run(['cat', 'meanwhile'], patient)), ok('x'));
    assert.equal(isBusy, true);
    ending.abort();
    assert.equal((await busy).kind, 'cancelled');
    await sh('cd /tmp; stat() { echo hacked; }; export -f stat; alias dd=false');
    assert.equal(await text('meanwhile'), 'x');
    await sh('exit');
  });

  it('run programs with their arguments as they are', async () => {
    const words_ = ['a b', '', "it's", '$HOME', '-n', '*', 'new\nline'];
    const result = words(await session.files.run(['printf', '[%s]', ...words_], patient));
    assert.deepEqual(result, ok(words_.map((word) => `[${word}]`).join('')));
    assert.deepEqual(words(await session.files.run(['sh', '-c', 'cat; pwd; exit 5'], patient)), {
      kind: 'exited',
      exitCode: 5,
      stdout: '/workspace\n',
      stderr: '',
    });
    assert.equal((await session.files.run(['no-such-program'], patient)).exitCode, 127);
    assert.equal((await session.files.run(['sleep', '600'], { ...patient, timeoutMs: 100 })).kind, 'timedOut');
    assert.deepEqual(words(await session.files.run(['echo', 'after'], patient)), ok('after\n'));
  });
});
