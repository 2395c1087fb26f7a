import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { redactorOf } from '../../../src/assemble';
import { type LogFileOptions, openLogFile } from '../../../src/cli/logFile';
import { traceIdOf } from '../../../src/core/runTrace';
import { FakeClock } from '../../fakes/clock';

const knownSecret = 'correct-horse-battery';

describe('the log file of a worker', () => {
  let folder: string;
  let file: string;
  let troubles: string[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'airlock-log-'));
    file = path.join(folder, 'airlock.log');
    troubles = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (overrides: Partial<LogFileOptions> = {}): ReturnType<typeof openLogFile> =>
    openLogFile({
      file,
      maxBytes: 1_000_000,
      keep: 2,
      verbose: false,
      redact: redactorOf([knownSecret]),
      clock: new FakeClock(Date.UTC(2026, 0, 5)),
      onTrouble: (message) => troubles.push(message),
      ...overrides,
    });
  const linesIn = (name = file): Record<string, unknown>[] =>
    readFileSync(name, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('has one object a line, with time, level, message and facts, that only its owner can read', () => {
    const log = open();
    log.info('A line\nabout a run', { runId: 'run-1', files: 2, absent: undefined });
    log.error('It failed', new Error('broken'));
    const [, line, failure] = linesIn();
    assert.deepEqual(line, {
      time: '2026-01-05T00:00:00.000Z',
      level: 'info',
      message: 'A line\nabout a run',
      traceId: traceIdOf('run-1'),
      facts: { runId: 'run-1', files: 2 },
    });
    assert.deepEqual([failure?.['level'], failure?.['error']], ['error', 'broken']);
    assert.match(String(failure?.['stack']), /^Error: broken\n +at /);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('has what is only worth knowing when something is looked for with --verbose alone', () => {
    open().debug('quiet');
    open({ verbose: true }).debug('loud');
    assert.deepEqual(
      linesIn().map(({ message }) => message),
      ['The log begins', 'The log begins', 'loud'],
    );
  });

  it('has no secret in it, wherever it stood, and nothing unseen', () => {
    const key = `sk-ant-${'a'.repeat(40)}`;
    const block = `-----BEGIN PRIVATE KEY-----\n${'QUJD\n'.repeat(30)}-----END PRIVATE KEY-----`;
    const error = new Error(`refused ${knownSecret}`);
    open().error(`said ${key} ${'x'.repeat(8_180)}${key}`, error, { header: `Bearer ${knownSecret}`, block });
    const text = readFileSync(file, 'utf8');
    for (const secret of [key, 'aaaa', knownSecret, 'horse', 'QUJD'])
      assert.equal(text.includes(secret), false, secret);
    open().info('a\u202eb');
    assert.equal(linesIn().at(-1)?.['message'], 'a<U+202E>b');
  });

  it('is put aside when it has grown, and the oldest goes', () => {
    const log = open({ maxBytes: 400 });
    for (let n = 0; n < 40; n += 1) log.info(`line ${n}`);
    assert.deepEqual(readdirSync(folder).sort(), ['airlock.log', 'airlock.log.1', 'airlock.log.2']);
    const kept = ['.2', '.1', ''].flatMap((end) => linesIn(file + end).map(({ message }) => message));
    assert.deepEqual(
      kept,
      kept.map((_, at) => `line ${40 - kept.length + at}`),
    );
    for (const name of readdirSync(folder)) {
      const { size, mode } = statSync(path.join(folder, name));
      assert.ok(size <= 400, `${name}: ${size}`);
      assert.equal(mode & 0o777, 0o600);
    }
  });

  it('goes on where it is named when somebody moves it away', () => {
    const log = open();
    renameSync(file, `${file}.moved`);
    log.info('after');
    assert.deepEqual(
      linesIn().map(({ message }) => message),
      ['after'],
    );
  });

  it('is made in place of nothing else: no folder, no link, no device', () => {
    const link = path.join(folder, 'link');
    const other = path.join(folder, 'other');
    writeFileSync(other, '');
    symlinkSync(other, link);
    for (const name of [folder, link, '/dev/null', path.join(folder, 'no', 'folder')])
      assert.throws(() => open({ file: name }), { code: 'log-file-unusable' }, name);
    assert.equal(readFileSync(other, 'utf8'), '');
  });

  it('loses lines while it cannot be written to, says so once, and counts them when it can again', () => {
    const log = open();
    rmSync(folder, { recursive: true });
    for (let n = 0; n < 3; n += 1) log.info(`lost ${n}`);
    assert.equal(troubles.length, 1);
    mkdirSync(folder);
    log.info('there again');
    assert.deepEqual(
      linesIn().map(({ message, facts }) => [message, facts]),
      [
        ['Lines of the log could not be written', { count: 3 }],
        ['there again', undefined],
      ],
    );
  });

  it('ends nothing when the disk is full, and has whole lines again once there is room', function () {
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status !== 0) {
      process.stdout.write('    SKIPPED: a small tmpfs cannot be mounted here (this needs root)\n');
      this.skip();
    }
    try {
      const log = open();
      const ballast = path.join(folder, 'ballast');
      writeFileSync(ballast, Buffer.alloc(16_384));
      for (let n = 0; n < 100; n += 1) log.info(`${n} ${'x'.repeat(1_000)}`);
      assert.equal(troubles.length, 1);
      assert.match(troubles[0] ?? '', /ENOSPC/);
      assert.ok(existsSync(file));
      rmSync(ballast);
      log.info('there again');
      const texts = readFileSync(file, 'utf8').trimEnd().split('\n');
      const [count, last] = texts.slice(-2).map((text) => JSON.parse(text) as Record<string, unknown>);
      assert.deepEqual([count?.['level'], last?.['message']], ['warn', 'there again']);
      for (let n = 0; n < 100; n += 1) log.info('x'.repeat(1_000));
      assert.equal(troubles.length, 2);
      open().info('begun on a full disk');
      assert.equal(troubles.length, 3);
    } finally {
      spawnSync('umount', [folder]);
    }
  });
});
