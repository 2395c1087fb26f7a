import { strict as assert } from 'node:assert';
import type { LimitBreach } from '../../src/core/jail';
import type { Session } from '../../src/core/session';
import { ok, patient, SessionsFixture, until, words } from './sessionsFixture';

describe('a limit that the kernel holds a session to', () => {
  let fixture: SessionsFixture;
  let session: Session;
  const met: LimitBreach[] = [];
  const limits = { openFiles: 512, fileBytes: 1_000_000, dataBytes: 600_000_000 };

  before(async () => {
    fixture = new SessionsFixture();
    session = await fixture.open({ limits });
    session.onDidMeetLimit((breach) => met.push(breach));
  });

  after(() => fixture.dispose());
  beforeEach(() => met.splice(0));

  const rows = [
    ['openFiles', `perl -e 'for (1..900) { open($f[$_], "<", "/dev/null") or die "$!\n" }'`],
    ['fileBytes', 'head -c 2000000 /dev/zero > big'],
    ['dataBytes', 'perl -e \'my $x = "x" x 1400000000; print length $x\''],
  ] as const;

  for (const [limit, script] of rows) {
    it(`is named when a command fails at it, and the session goes on (${limit})`, async () => {
      const shown: string[] = [];
      const listening = session.terminal.onDidOutput((text) => shown.push(text));
      const result = await session.exec(script, patient);
      const detail = met[0]?.detail ?? '';
      assert.deepEqual(
        { exitCode: result.exitCode !== 0, held: result.held?.limit, met: met.map((each) => each.limit) },
        { exitCode: true, held: limit, met: [limit] },
        Buffer.from(result.stderr).toString(),
      );
      assert.match(detail, new RegExp(`^at most ${limits[limit]} `));
      assert.deepEqual(words(await session.exec('echo on', patient)), ok('on\n'));
      await until(() => shown.join('').includes(`It seems to have met a limit of its jail: ${detail}.`));
      listening.dispose();
    });
  }

  it('is not named when a command fails for another reason', async () => {
    const result = await session.exec('echo wrong >&2; (exit 3)', patient);
    assert.deepEqual([result.exitCode, result.held, met], [3, undefined, []]);
  });
});
