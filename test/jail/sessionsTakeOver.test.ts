import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors';
import type { HandedBack, Keyboard } from '../../src/core/keyboard';
import type { Session } from '../../src/core/session';
import { ok, patient, SessionsFixture, until, words } from './sessionsFixture';

const size = { columns: 100, rows: 31 };

/** A user at a terminal: types, and reads what the session shows. */
class User {
  shown = '';
  ended = 0;

  private constructor(
    readonly keyboard: Keyboard,
    session: Session,
  ) {
    this.shown = session.terminal.scrollback();
    session.terminal.onDidOutput((text) => (this.shown += text));
    keyboard.onDidEnd(() => (this.ended += 1));
  }

  static async at(session: Session): Promise<User> {
    const user = new User(await session.takeOver(size), session);
    await user.sees(/\$ $/);
    return user;
  }

  async sees(what: RegExp, from = 0): Promise<void> {
    await until(() => what.test(this.shown.slice(from))).catch(() => assert.match(this.shown.slice(from), what));
  }

  async types(line: string, answer: RegExp): Promise<void> {
    const from = this.shown.length;
    this.keyboard.write(`${line}\r`);
    await this.sees(answer, from);
  }
}

describe('taking a session over', () => {
  let fixture: SessionsFixture;
  let session: Session & { readonly stateFolder: string };

  before(() => {
    fixture = new SessionsFixture();
  });
  beforeEach(async () => {
    session = await fixture.open();
  });
  afterEach(() => session.close('Done.'));
  after(() => fixture.dispose());

  const count = async (pattern: string): Promise<boolean> => {
    // The agent's own way in waits; the host's view does not.
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')));
    return lines.some((line) => line.replaceAll('\0', ' ').startsWith(pattern));
  };

  it("gives the user the agent's folder and files, with job control, Ctrl-C and another size, and gives it back", async () => {
    await session.exec('mkdir -p sub && cd sub && echo "from the agent" > file', patient);
    const user = await User.at(session);
    assert.equal(session.status, 'paused');
    await user.types('pwd; cat file; stty size', /\/workspace\/sub\r\nfrom the agent\r\n31 100\r\n/);
    user.keyboard.resize({ columns: 77, rows: 33 });
    await user.types('stty size', /33 77/);
    user.keyboard.write('sleep 9301\r');
    await until(() => count('sleep 9301'));
    user.keyboard.write('\x03');
    await user.types('echo code $?', /code 130/);
    user.keyboard.write('sleep 9302\r');
    await until(() => count('sleep 9302'));
    user.keyboard.write('\x1a');
    await user.types('jobs', /Stopped\s+sleep 9302/);
    await user.keyboard.giveBack();
    assert.deepEqual([session.status, user.ended, await count('sleep 9302')], ['ready', 1, false]);
    assert.deepEqual(words(await session.exec('pwd', patient)), ok('/workspace/sub\n'));
  });

  it('stops what the agent runs meanwhile, and no time of it runs', async () => {
    const counter = 'i=0; while ((i < 60)); do i=$((i+1)); echo $i > tick; sleep 0.01; done; echo finished';
    // Moved into place, for it may be stopped between the opening of a file and the writing.
    await session.exec('(while :; do date +%N > next; mv next background; sleep 0.01; done) &', patient);
    const running = session.exec(counter, { ...patient, timeoutMs: 3_000 });
    for (const file of ['tick', 'background'])
      await until(async () => (await session.files.read(file, { maxBytes: 10 }).catch(() => undefined)) !== undefined);
    const user = await User.at(session);
    await user.types('cat tick background; sleep 0.3; cat tick background', /(\d+\r\n\d+\r\n)\1/);
    const waiting = session.files.write('later', Buffer.from('written later'));
    await user.types('sleep 3; ls later', /No such file/);
    await user.keyboard.giveBack();
    await waiting;
    assert.deepEqual(words(await running), ok('finished\n'));
    assert.deepEqual(words(await session.exec('cat later', patient)), ok('written later'));
  }).timeout(30_000);

  it('leaves stopped what the agent itself had stopped', async () => {
    // The kernel stops it when it is its turn, which may come after the command that asked for it.
    const stop = 'sleep 9303 & kill -STOP $!; echo $! > pid; until grep -q "State:.T" /proc/$!/status; do :; done';
    await session.exec(stop, patient);
    await (await User.at(session)).keyboard.giveBack();
    assert.deepEqual(
      words(await session.exec('grep State /proc/$(cat pid)/status', patient)),
      ok('State:\tT (stopped)\n'),
    );
  });

  it('tells which files the user changed', async () => {
    await session.exec('echo 1 > changed; echo 1 > deleted; echo 1 > kept; mkdir .git; echo 1 > .git/config', patient);
    const handedBack: HandedBack[] = [];
    session.onDidGiveBack((what) => handedBack.push(what));
    const user = await User.at(session);
    await user.types(
      'echo 2 > changed; rm deleted; mkdir new; echo 1 > "new/with a\nline"; echo 2 > .git/config; echo all; echo done',
      /all\r\ndone/,
    );
    await user.keyboard.giveBack();
    assert.deepEqual(handedBack, [{ changedFiles: ['changed', 'deleted', 'new/with a\nline'] }]);
  });

  it('goes back to the agent when the user leaves the shell', async () => {
    const user = await User.at(session);
    await user.types('exit', /exit/);
    await until(() => user.ended === 1);
    assert.deepEqual(words(await session.exec('echo goes on', patient)), ok('goes on\n'));
    user.keyboard.write('too late\r');
    await user.keyboard.giveBack();
    const again = await User.at(session);
    await again.types('echo second turn', /second turn\r\n/);
    await again.keyboard.giveBack();
    assert.doesNotMatch(again.shown, /too late/);
  });

  it('is for one at a time', async () => {
    const user = await User.at(session);
    await assert.rejects(session.takeOver(size), { code: 'session-taken' });
    await user.keyboard.giveBack();
  });

  it('ends when the session does, for whoever waits too', async () => {
    const user = await User.at(session);
    const waiting = assert.rejects(session.exec('true', patient), { code: 'session-closed' });
    await session.close('Over.');
    await waiting;
    assert.equal(user.ended, 1);
    let toldLate = 0;
    user.keyboard.onDidEnd(() => (toldLate += 1));
    assert.equal(toldLate, 1);
    await session.whenGivenBack();
    await user.keyboard.giveBack();
    await assert.rejects(session.takeOver(size), { code: 'session-closed' });
  });

  it('lets a command be cancelled that waits or is stopped', async () => {
    const [stopped, queued] = [new AbortController(), new AbortController()];
    const running = session.exec('sleep 9304', { ...patient, signal: stopped.signal });
    await until(() => count('sleep 9304'));
    const user = await User.at(session);
    const waiting = session.exec('true', { ...patient, signal: queued.signal });
    stopped.abort();
    queued.abort();
    assert.deepEqual([(await running).kind, (await waiting).kind], ['cancelled', 'cancelled']);
    await user.types('echo still mine', /still mine\r\n/);
    await user.keyboard.giveBack();
    assert.deepEqual(words(await session.exec('echo works', patient)), ok('works\n'));
  });

  it('shows full-screen programs, and no more of them afterwards', async () => {
    await session.exec('seq 1 200 > long', patient);
    const user = await User.at(session);
    user.keyboard.write('less long\r');
    await user.sees(/\x1b\[\?1049h[^]*29\r\n/); // oxlint-disable-line no-control-regex
    user.keyboard.write('G');
    await user.sees(/200/);
    session.note('the agent says something meanwhile');
    await user.keyboard.giveBack();
    await user.sees(/\x1b\[\?1049l[^]*has the keyboard again[^]*says something meanwhile/); // oxlint-disable-line no-control-regex
  });

  it('keeps from the terminal what reaches beyond its screen', async () => {
    const user = await User.at(session);
    const hostile = String.raw`\e]52;c;x\a\e]0;title\a\e]8;;command:evil\e\\\\link\e]8;;\e\\\\\e]633;A\a\e[c\e[6n\ecvisible`;
    await user.types(`printf '${hostile}\\n'; echo done`, /visible\r\ndone/);
    assert.doesNotMatch(user.shown, /\x1b(?:\]|c|\[c|\[6n)/); // oxlint-disable-line no-control-regex
    await user.keyboard.giveBack();
  });

  it('is recorded, with its sizes', async () => {
    const user = await User.at(session);
    user.keyboard.resize({ columns: 90, rows: 20 });
    await user.types('echo to be recorded', /to be recorded\r\n/);
    await user.keyboard.giveBack();
    await session.close('Done.');
    const lines = (await readFile(join(session.stateFolder, 'session.cast'), 'utf8')).trim().split('\n').slice(1);
    const entries = lines.map((line) => JSON.parse(line) as [number, string, string]);
    assert.deepEqual(
      entries.filter(([, code]) => code === 'r').map(([, , text]) => text),
      ['100x31', '90x20'],
    );
    assert.match(entries.map(([, , text]) => text).join(''), /You have the keyboard[^]*to be recorded\r\n[^]*again/);
  });

  it('holds a flood back instead of letting it pile up', async () => {
    const user = await User.at(session);
    user.keyboard.write('yes\r');
    await user.sees(/y\r\ny\r\n/);
    await user.keyboard.giveBack();
    assert.equal(await count('yes'), false);
  });

  it('cannot be where node-pty cannot be loaded', async () => {
    const broken = new SessionsFixture({
      loadPty: () => Promise.reject(new UserError('pty-unavailable', 'node-pty could not be loaded.')),
    });
    const without = await broken.open();
    await assert.rejects(without.takeOver(size), { code: 'pty-unavailable' });
    assert.deepEqual(words(await without.exec('echo works', patient)), ok('works\n'));
    await broken.dispose();
  });
});
