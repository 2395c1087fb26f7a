import { strict as assert } from 'node:assert';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { plainText } from '../../src/base/ansi';
import { ok, patient, SessionsFixture, until, words } from './sessionsFixture';

/** A secret of the product's. */
const known = 'correct-horse-battery';

type OpenSession = Awaited<ReturnType<SessionsFixture['open']>>;

describe('output of a session', () => {
  let fixture: SessionsFixture;
  let session: OpenSession;
  let shown: string[];

  before(async () => {
    fixture = new SessionsFixture({ maxRecordingBytes: 4_000_000, secrets: () => Promise.resolve([known]) });
  });

  beforeEach(async () => {
    session = await fixture.open();
    shown = [];
    session.terminal.onDidOutput((text) => shown.push(text));
  });

  afterEach(() => session.close('The test is over.'));
  after(() => fixture.dispose());

  async function recorded(): Promise<{ header: unknown; text: string }> {
    await session.close('Recorded.');
    const [header, ...events] = (await readFile(join(session.stateFolder, 'session.cast'), 'utf8'))
      .trimEnd()
      .split('\n');
    const parsed = events.map((line) => JSON.parse(line) as [number, string, string]);
    assert.ok(parsed.every(([at, code], index) => code === 'o' && at >= (parsed[index - 1]?.[0] ?? 0)));
    return { header: JSON.parse(header ?? ''), text: parsed.map(([, , text]) => text).join('') };
  }

  it('of 200 MB comes back bounded, with its start, its end and what is missing, and memory stays bounded', async () => {
    const script = 'echo begin; head -c 200000000 /dev/zero; echo; echo end; echo err >&2';
    const before = process.memoryUsage.rss();
    let highest = before;
    const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 5);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const result = await session.exec(script, { timeoutMs: 60_000, maxOutputBytes: 100_000 });
    delay.disable();
    clearInterval(watch);
    assert.deepEqual(
      { kind: result.kind, exitCode: result.exitCode, kept: result.stdout.length + result.stderr.length },
      { kind: 'exited', exitCode: 0, kept: 100_000 },
    );
    assert.equal(result.droppedBytes, 200_000_000 + 6 + 1 + 4 + 4 - 100_000);
    assert.ok(Buffer.from(result.stdout).toString().startsWith('begin\n'));
    assert.match(Buffer.from(result.stdout).toString(), /\nend\n$/);
    assert.ok(highest - before < 96 * 1024 ** 2, `${(highest - before) / 1024 ** 2} MiB more`);
    assert.ok(delay.percentile(99) < 100e6, `${delay.percentile(99) / 1e6} ms`);
  });

  it('in one line of 300 MB is no different', async () => {
    const result = await session.exec("head -c 300000000 /dev/zero | tr '\\0' x", {
      timeoutMs: 60_000,
      maxOutputBytes: 1000,
    });
    assert.deepEqual(words(result), ok('x'.repeat(1000)));
    assert.equal(result.droppedBytes, 300_000_000 - 1000);
  });

  it('is shown as it comes: the command, its output in colour, and how it ended', async () => {
    await session.exec("printf '\\033[31mred\\033[0m\\n'; echo no end | tr -d '\\n'; exit 3", patient);
    session.note('A note\x1b[2J');
    await session.exec('true', patient);
    await until(() => shown.join('').includes('true'));
    assert.equal(
      shown.join(''),
      "\x1b[1;32m$\x1b[0m \x1b[1mprintf '\\033[31mred\\033[0m\\n'; echo no end | tr -d '\\n'; exit 3\x1b[0m\r\n" +
        '\x1b[31mred\x1b[0m\r\nno end\x1b[0m\r\n\x1b[2;31m[the shell ended with 3]\x1b[0m\r\n' +
        '\x1b[36m● A note<U+001B>[2J\x1b[0m\r\n\x1b[1;32m$\x1b[0m \x1b[1mtrue\x1b[0m\r\n',
    );
    assert.equal(session.terminal.scrollback(), shown.join(''));
  });

  it('is on the screen while the command still runs', async () => {
    const command = session.exec('echo early; sleep 600', patient);
    const running = assert.rejects(command, { code: 'session-closed' });
    await until(() => shown.join('').includes('\nearly'));
    await session.close('Enough.');
    await running;
  });

  it('is safe to show, whatever a command prints', async () => {
    await session.exec(
      String.raw`printf '\033]52;c;aGk=\007\033]0;title\007\033]8;;command:x\033\\link\033]8;;\033\\\033[?1049h\033[6n\033]633;A\007\033Pq\033\\\033[2Jafter\n'`,
      patient,
    );
    await until(() => shown.join('').includes('after'));
    assert.match(shown.join(''), /\r\nlinkafter\r\n$/);
    assert.match((await recorded()).text, /\r\nlinkafter\r\n/);
  });

  it('asks for colours, which the model does not see', async () => {
    const result = await session.exec(
      'echo $FORCE_COLOR $CLICOLOR_FORCE $TERM; printf "\\033[32mok\\033[0m\\n"',
      patient,
    );
    assert.equal(plainText(result.stdout), '1 1 xterm-256color\nok\n');
    assert.deepEqual(words(await session.files.run(['sh', '-c', 'echo ${FORCE_COLOR-none}'], patient)), ok('none\n'));
  });

  it('is recorded as asciicast v2, up to the cap and a mark there', async () => {
    await session.exec('echo first; seq 1000', patient);
    await session.exec('yes 0123456789012345678901234567890123456789 | head -c 20000000', patient);
    const { header, text } = await recorded();
    assert.deepEqual(header, { ...(header as object), version: 2, width: 120, height: 30 });
    assert.match(text, /first\r\n1\r\n2\r\n/);
    assert.match(text, /the recording ends here/);
    const { size, mode } = await stat(join(session.stateFolder, 'session.cast'));
    assert.ok(size >= 4_000_000 && size < 4_400_000, `${size} bytes`);
    assert.equal(mode & 0o777, 0o600);
  });

  it('has no secret in what is shown and recorded, whatever the command is and however it prints one', async () => {
    const printed = `echo ${known}; printf 'ghp_'; sleep 0.1; printf '${'a1B2'.repeat(9)}\n'`;
    const result = await session.exec(printed, patient);
    assert.match(Buffer.from(result.stdout).toString(), new RegExp(known));
    session.note(`The key is ${known}.`);
    const { text } = await recorded();
    for (const all of [shown.join(''), text, session.terminal.scrollback()]) {
      assert.ok(!all.includes(known) && !all.includes(`ghp_${'a1B2'.repeat(9)}`), all);
      assert.match(all, /corr\[redacted\]/);
      assert.match(all, /ghp_.*\[redacted\]/s);
    }
  });

  it('shows a flood thinned, with marks, and its end', async () => {
    await session.exec('seq 1 3000000; echo finished', { ...patient, maxOutputBytes: 1000 });
    await until(() => shown.join('').includes('finished'));
    const all = shown.join('');
    assert.ok(all.includes('not shown'));
    assert.ok(all.length < 10_000_000, `${all.length} characters`);
    assert.ok(session.terminal.scrollback().length <= 256 * 1024 + 70_000);
  });

  it('of what floods on in the background is held back at the rate at which it is shown', async () => {
    await session.exec('yes > /dev/stdout & sleep 0.1', { ...patient, maxOutputBytes: 1000 });
    // The calmest of a few seconds: what others cost this process comes and goes, a flood that is read on would stay.
    let leastMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 5 && leastMs >= 400; tries += 1) {
      const usage = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const { user, system } = process.cpuUsage(usage);
      leastMs = Math.min(leastMs, (user + system) / 1000);
    }
    assert.ok(leastMs < 400, `${leastMs} ms of processor time in a second`);
  });
});
