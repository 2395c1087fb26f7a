import { strict as assert } from 'node:assert';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackgroundOutput } from '../../src/core/background';
import type { Session } from '../../src/core/session';
import { openDescriptors, ok, patient, SessionsFixture, until, words } from './sessionsFixture';

describe('background commands', () => {
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

  /** Reads until `what` is there or it has ended. */
  async function reads(id: string, what: RegExp): Promise<{ text: string; last: BackgroundOutput }> {
    let text = '';
    for (;;) {
      const last = await session.background.read(id, { waitMs: 10_000 });
      text += Buffer.from(last.output).toString();
      if (what.test(text) || last.status.kind === 'ended') return { text, last };
    }
  }

  const alive = async (pattern: string): Promise<boolean> =>
    (await session.files.run(['pgrep', '-f', pattern], patient)).exitCode === 0;

  it('run beside the shell, in its folder, with its exported variables, and tell how they ended', async () => {
    await session.exec('mkdir sub; cd sub; export NAME=exported', patient);
    const id = await session.background.start('pwd; echo $NAME; echo error >&2; read line; echo "got $line"; exit 7');
    const first = await reads(id, /error\n/);
    assert.equal(first.text, '/workspace/sub\nexported\nerror\n');
    assert.deepEqual(first.last.status, { kind: 'running' });
    assert.deepEqual(words(await session.exec('echo the shell is free', patient)), ok('the shell is free\n'));
    await session.background.write(id, 'some words\n');
    const { text, last } = await reads(id, /never/);
    assert.deepEqual([text, last.status], ['got some words\n', { kind: 'ended', exitCode: 7 }]);
    await assert.rejects(session.background.read(id, { waitMs: 0 }), { code: 'unknown-background' });
  });

  it('are stopped with all that they started', async () => {
    const id = await session.background.start('trap "" TERM; sleep 9401 & echo begun; while :; do sleep 0.05; done');
    await reads(id, /begun/);
    await session.background.stop(id);
    const { status } = await session.background.read(id, { waitMs: 0 });
    assert.deepEqual(status, { kind: 'ended', exitCode: 137 });
    assert.equal(await alive('sleep 940[1]'), false);
  });

  it('outlive commands of the shell that are ended, and the shell itself', async () => {
    const id = await session.background.start('while :; do sleep 0.01; echo tick; done');
    assert.equal((await session.exec('sleep 60', { ...patient, timeoutMs: 100 })).kind, 'timedOut');
    assert.equal((await session.exec('exit 1', patient)).kind, 'shellEnded');
    await session.background.read(id, { waitMs: 0 });
    assert.match((await reads(id, /tick/)).text, /tick/);
    await session.background.stop(id);
  });

  it('are told to have ended even when who was to tell it was killed', async () => {
    const id = await session.background.start('echo begun; exec sleep 9402');
    await reads(id, /begun/);
    await session.exec('pkill -9 -f setsid; pkill -9 -f "sleep 940[2]"', patient);
    const { last } = await reads(id, /never/);
    assert.equal(last.status.kind, 'ended');
  });

  it('keep the start and the end of what nobody has read, and slow a flood down', async () => {
    const before = process.memoryUsage.rss();
    const id = await session.background.start('echo first; yes | head -c 20000000; echo last');
    await until(() => session.terminal.scrollback().includes('last\r\n'), 20_000);
    const { output, droppedBytes } = await session.background.read(id, { waitMs: 0 });
    const text = Buffer.from(output).toString();
    assert.match(text, /^first\ny\n[^]*y\nlast\n$/);
    assert.equal(output.length + droppedBytes, 20_000_011);
    assert.ok(process.memoryUsage.rss() - before < 150e6);
  }).timeout(30_000);

  it('may be only so many, and leave nothing open', async () => {
    const descriptors = await openDescriptors();
    for (let count = 0; count < 8; count += 1) await session.background.start('sleep 9403');
    await assert.rejects(session.background.start('sleep 9403'), { code: 'background-full' });
    for (let count = 1; count <= 8; count += 1) {
      await session.background.stop(`b${count}`);
      await session.background.read(`b${count}`, { waitMs: 0 });
    }
    await until(async () => (await openDescriptors()) <= descriptors);
    const channels = (await readdir(session.stateFolder)).find((name) => name.startsWith('channels-'));
    assert.deepEqual(await readdir(join(session.stateFolder, channels ?? '')), ['launcher']);
  });

  it('stand still while the user has the keyboard', async () => {
    const id = await session.background.start('while :; do sleep 0.01; echo tick; done');
    await reads(id, /tick/);
    const keyboard = await session.takeOver({ columns: 80, rows: 24 });
    const reading = session.background.read(id, { waitMs: 0 }).then(() => 'read' as const);
    assert.equal(await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]), 'waits');
    await keyboard.giveBack();
    assert.equal(await reading, 'read');
    await session.background.read(id, { waitMs: 0 });
    await reads(id, /tick/);
  });

  it('end with the session', async () => {
    const id = await session.background.start('sleep 9404');
    const reading = session.background.read(id, { waitMs: 60_000 });
    await session.close('Over.');
    await reading;
    await assert.rejects(session.background.start('true'), { code: 'session-closed' });
  });
});
