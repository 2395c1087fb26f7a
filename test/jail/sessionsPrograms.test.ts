import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import type { Session, SessionProgram } from '../../src/core/session';
import { patient, SessionsFixture } from './sessionsFixture';

async function textOf(stream: SessionProgram['stdout']): Promise<string> {
  let text = '';
  for await (const piece of stream as AsyncIterable<Buffer>) text += piece.toString();
  return text;
}

describe('programs of a session', () => {
  let fixture: SessionsFixture;
  let session: Session;

  before(() => {
    fixture = new SessionsFixture();
  });
  beforeEach(async () => {
    session = await fixture.open();
  });
  afterEach(() => session.close('Done.'));
  after(() => fixture.dispose());

  it('have three streams of their own, their arguments and variables as given, and an exit code', async () => {
    const script = 'echo "$1|$NAME"; echo error >&2; cat; exit 7';
    const program = await session.start(['/bin/bash', '-c', script, 'it', 'a  $b\n'], { NAME: 'it\'s "x"' });
    program.write('some words\n');
    program.endInput();
    const all = await Promise.all([textOf(program.stdout), textOf(program.stderr), program.ended]);
    assert.deepEqual(all, ['a  $b\n|it\'s "x"\nsome words\n', 'error\n', 7]);
  });

  it('lose nothing of what they write, and wait while nobody reads it', async () => {
    const program = await session.start(['/usr/bin/seq', '1', '600000'], {});
    let ended = false;
    void program.ended.then(() => (ended = true));
    program.stderr.resume();
    await session.exec('true', patient);
    assert.equal(ended, false);
    const lines = (await textOf(program.stdout)).split('\n');
    assert.deepEqual([lines.length, lines[0], lines.at(-2)], [600_001, '1', '600000']);
    assert.equal(await program.ended, 0);
  });

  it('are killed with all that they started', async () => {
    const program = await session.start(['/bin/bash', '-c', 'sleep 9411 & echo begun; wait'], {});
    await once(program.stdout, 'data');
    await program.kill();
    assert.equal(await program.ended, null);
    assert.equal((await session.files.run(['pgrep', '-f', 'sleep 941[1]'], patient)).exitCode, 1);
  });

  it('outlive the shell and its commands, but not the session', async () => {
    const program = await session.start(['/bin/cat'], {});
    await session.exec('exit 1', patient);
    assert.equal((await session.exec('sleep 60', { ...patient, timeoutMs: 100 })).kind, 'timedOut');
    const echo = once(program.stdout, 'data');
    program.write('still here\n');
    assert.equal(String((await echo)[0]), 'still here\n');
    await session.close('Done.');
    assert.equal(await program.ended, null);
    await assert.rejects(session.start(['/bin/cat'], {}), { code: 'session-closed' });
  });
});
