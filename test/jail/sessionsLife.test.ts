import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledError, UserError } from '../../src/base/errors';
import { newId } from '../../src/base/ids';
import type { Session } from '../../src/core/session';
import { createJails } from '../../src/jail/jails';
import { identifyProcess, isAlive, processTree } from '../../src/jail/procfs';
import { createSessions } from '../../src/sessions/sessions';
import { ok, openDescriptors, patient, SessionsFixture, until, words } from './sessionsFixture';

const mebibyte = 1024 ** 2;

type End = Parameters<Parameters<Session['onDidClose']>[0]>[0];

describe('the life of a session', () => {
  let fixture: SessionsFixture;

  before(() => {
    fixture = new SessionsFixture();
  });

  after(() => fixture.dispose());

  function ends(session: Session): End[] {
    const all: End[] = [];
    session.onDidClose((end) => all.push(end));
    return all;
  }

  it('begins with a proof, made in this very jail before anything else was run', async () => {
    const session = await fixture.open();
    assert.equal(session.proof.proven, true);
    assert.ok(session.proof.canaries.length >= 5);
    assert.ok(session.proof.canaries.every((canary) => canary.held && canary.controlSucceeded));
    assert.equal(session.status, 'ready');
    assert.ok(isAlive(session.process));
    const channels = (await readdir(session.stateFolder)).find((name) => name.startsWith('channels-'));
    assert.deepEqual(await readdir(join(session.stateFolder, channels ?? '')), ['launcher']);
    await session.close('done');
  });

  it('does not begin when the jail does not hold, and the jail is gone', async () => {
    const { policy, state } = await fixture.prepare();
    const mounts = [...policy.mounts, { from: tmpdir(), at: tmpdir(), access: 'read' as const }];
    const children = processTree(process.pid).length;
    await assert.rejects(
      fixture.sessions.open({
        id: newId('session'),
        runId: policy.account,
        policy: { ...policy, mounts },
        stateFolder: state,
      }),
      (error: unknown) =>
        error instanceof UserError &&
        error.code === 'jail-not-proven' &&
        String(error.facts['failed']).includes('read a file of the host: the file was read'),
    );
    await until(() => processTree(process.pid).length <= children);
  });

  it('does not begin where no jail can be had', async () => {
    const jails = createJails({
      probe: {
        detect: () => Promise.reject(new UserError('no-bwrap', 'Bubblewrap is not installed.', { fix: 'Install it.' })),
        tryJail: () => Promise.reject(new Error('never asked')),
        readProc: () => undefined,
      },
    });
    const { policy, state } = await fixture.prepare();
    const sessions = createSessions({ jails });
    await assert.rejects(sessions.open({ id: newId('session'), runId: policy.account, policy, stateFolder: state }), {
      code: 'jail-unavailable',
    });
    await jails.shutdown();
  });

  it('does not begin when a mount is not there', async () => {
    const { policy, state } = await fixture.prepare();
    const mounts = [...policy.mounts, { from: '/not/there', at: '/opt/x', access: 'read' as const }];
    await assert.rejects(
      fixture.sessions.open({
        id: newId('session'),
        runId: policy.account,
        policy: { ...policy, mounts },
        stateFolder: state,
      }),
      { code: 'mount-missing' },
    );
  });

  it('does not begin when it is cancelled, at whatever moment', async () => {
    const children = processTree(process.pid).length;
    for (const delayMs of [0, 5, 20, 40, 60]) {
      const { policy, state } = await fixture.prepare();
      const signal = AbortSignal.timeout(delayMs);
      await fixture.sessions
        .open({ id: newId('session'), runId: policy.account, policy, stateFolder: state, signal })
        .then((session) => session.close('It was faster than that.'))
        .catch((error: unknown) => assert.ok(error instanceof CancelledError, String(error)));
    }
    await until(() => processTree(process.pid).length <= children);
  });

  it('is busy while a command runs, and closed in the end', async () => {
    const session = await fixture.open();
    const running = session.exec('sleep 0.1', patient);
    assert.equal(session.status, 'busy');
    await running;
    assert.equal(session.status, 'ready');
    const ended = ends(session);
    await Promise.all([session.close('The run is over.'), session.close('twice')]);
    assert.deepEqual(ended, [{ reason: 'The run is over.', breach: null }]);
    assert.equal(session.status, 'closed');
    await assert.rejects(session.exec('true', patient), { code: 'session-closed' });
    await assert.rejects(session.files.read('x', { maxBytes: 1 }), { code: 'session-closed' });
    session.note('too late');
    await session.close('again');
    assert.match(session.terminal.scrollback(), /Session ended: The run is over\./);
  });

  it('ends with every process that it started, a hundred of them at once', async () => {
    const session = await fixture.open();
    await session.exec(
      'for i in $(seq 100); do setsid nohup sh -c "trap \\"\\" TERM HUP; sleep 9100" >/dev/null 2>&1 & done',
      patient,
    );
    await until(() => processTree(session.process.pid).length > 200);
    const all = processTree(session.process.pid).map((pid) => identifyProcess(pid));
    await session.close('Enough.');
    assert.deepEqual(
      all.filter((process) => process && isAlive(process)),
      [],
    );
  });

  it('ends when its jail is killed, from outside or from inside, and what runs fails', async () => {
    for (const kill of [
      (session: Session) => process.kill(session.process.pid, 'SIGKILL'),
      (session: Session) => void session.files.run(['sh', '-c', 'kill -9 -1'], patient).catch(() => {}),
    ]) {
      const session = await fixture.open();
      const ended = ends(session);
      const running = assert.rejects(session.exec('sleep 600', patient), { code: 'session-closed' });
      kill(session);
      await running;
      await until(() => ended.length > 0);
      const how = 'its first process was killed with signal 9, by somebody or for want of memory';
      assert.deepEqual(ended, [{ reason: `The jail ended by itself: ${how}.`, breach: null }]);
    }
  });

  it('that ends while its shell is dead starts none any more', async () => {
    const session = await fixture.open();
    await session.exec('(sleep 0.05; kill -9 $$) & true', patient);
    await until(
      async () => (await session.files.run(['pgrep', '-fc', 'bash --norc --noprofile$'], patient)).stdout[0] === 0x32,
    );
    await session.close('Done.');
    await assert.rejects(session.exec('true', patient), { code: 'session-closed' });
  });

  it('ends with the name of the limit when it uses up more than it may', async () => {
    const cases = [
      [{ wallMs: 1_500 }, 'sleep 600', 'wallMs'],
      [
        { memoryBytes: 300_000_000 },
        `node -e 'const all=[];setInterval(()=>all.push(Buffer.alloc(2e7,1)),10)'`,
        'memoryBytes',
      ],
      [{ diskBytes: 50_000_000 }, 'head -c 200000000 /dev/urandom > big; sleep 600', 'diskBytes'],
    ] as const;
    await Promise.all(
      cases.map(async ([limits, command, limit]) => {
        const session = await fixture.open({ limits });
        const ended = ends(session);
        await assert.rejects(session.exec(command, patient), { code: 'session-closed' });
        await until(() => ended.length > 0);
        assert.equal(ended[0]?.breach?.limit, limit);
        assert.equal(isAlive(session.process), false);
      }),
    );
  });

  it('leaves no descriptor, process or listener behind', async () => {
    await (await fixture.open()).close('Warm up.');
    const before = await openDescriptors();
    const children = processTree(process.pid).length;
    for (let round = 0; round < 5; round += 1) {
      const session = await fixture.open();
      await session.exec('echo x; exit 1', patient);
      await session.exec('echo x', patient);
      await session.close('Next.');
    }
    await until(async () => (await openDescriptors()) <= before && processTree(process.pid).length <= children);
  });

  it('is many at once without one knowing of another', async () => {
    const sessions = await Promise.all([1, 2, 3, 4, 5].map(() => fixture.open()));
    await Promise.all(
      sessions.map((session, index) => session.exec(`cd /tmp; echo ${index} > mine; export N=${index}`, patient)),
    );
    const seen = await Promise.all(
      sessions.map((session) => session.exec('cat mine; echo $N; ls /workspace', patient)),
    );
    assert.deepEqual(
      seen.map(words),
      sessions.map((_, index) => ok(`${index}\n${index}\n`)),
    );
    await Promise.all(sessions.map((session) => session.close('Done.')));
  });

  describe('without a terminal', () => {
    it('works where node-pty cannot be loaded', async () => {
      const broken = new SessionsFixture({
        loadPty: () => Promise.reject(new UserError('pty-unavailable', 'node-pty could not be loaded.')),
      });
      const session = await broken.open();
      assert.deepEqual(words(await session.exec('echo works; cd /tmp', patient)), ok('works\n'));
      assert.deepEqual(words(await session.exec('pwd; exit 3', patient)), {
        ...ok('/tmp\n'),
        kind: 'shellEnded',
        exitCode: 3,
      });
      const ended = ends(session);
      await broken.dispose();
      assert.deepEqual(ended, [{ reason: 'Airlock is shutting down.', breach: null }]);
      assert.equal(isAlive(session.process), false);
    });
  });

  describe('after the process that had it', () => {
    it('is over: the jail dies with whoever started it', async () => {
      const { policy, state } = await fixture.prepare();
      const program = join(state, '..', 'program.ts');
      const here = join(__dirname, '../..');
      await writeFile(
        program,
        `import { createJails } from '${here}/src/jail/jails';
        import { createSessions } from '${here}/src/sessions/sessions';
        const sessions = createSessions({ jails: createJails() });
        const options = ${JSON.stringify({ id: newId('session'), runId: policy.account, policy, stateFolder: state })};
        void sessions.open(options).then(async (session) => {
          await session.exec('setsid sleep 9300 &', { timeoutMs: 1000, maxOutputBytes: 1000 });
          process.stdout.write(JSON.stringify(session.process) + '\\n');
        });`,
      );
      const child = spawn(process.execPath, ['--import', 'tsx', program], {
        cwd: here,
        env: { ...process.env, TMPDIR: join(state, '..') },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const identity = JSON.parse(line.toString()) as Session['process'];
      const all = processTree(identity.pid).map((pid) => identifyProcess(pid));
      assert.ok(all.length > 5 && isAlive(identity));
      child.kill('SIGKILL');
      await until(() => all.every((process) => !process || !isAlive(process)));
      assert.equal(await fixture.sessions.endOrphan(identity), false);
    });

    it('is ended as an orphan only when it is that very process', async () => {
      const child = spawn('sleep', ['9400'], { stdio: 'ignore' });
      await once(child, 'spawn');
      const identity = identifyProcess(child.pid ?? 0);
      assert.ok(identity);
      assert.equal(await fixture.sessions.endOrphan({ ...identity, startTicks: identity.startTicks - 1 }), false);
      assert.equal(await fixture.sessions.endOrphan({ ...identity, bootId: 'another' }), false);
      assert.ok(isAlive(identity));
      assert.equal(await fixture.sessions.endOrphan(identity), true);
      assert.equal(isAlive(identity), false);
      assert.equal(await fixture.sessions.endOrphan(identity), false);
    });
  });

  it('tells what all of its processes use together, and nothing once it has ended', async () => {
    const session = await fixture.open();
    const before = fixture.sessions.use(session.process) ?? assert.fail();
    assert.ok(before.residentBytes > 0 && before.residentBytes < 64 * mebibyte, String(before.residentBytes));
    // Twice 64 MiB in processes of their own, and a second of a core in one that is over when it is looked at.
    await session.exec('for n in 1 2; do (x=$(head -c 67108864 /dev/zero | tr "\\0" x); sleep 9500) & done', patient);
    await session.exec('timeout 1 sh -c "while :; do :; done"', patient);
    await until(
      () => (fixture.sessions.use(session.process)?.residentBytes ?? 0) > before.residentBytes + 128 * mebibyte,
    );
    const after = fixture.sessions.use(session.process) ?? assert.fail();
    assert.ok(after.cpuMs > before.cpuMs, JSON.stringify([before, after]));
    await session.close('it has been measured');
    assert.equal(fixture.sessions.use(session.process), undefined);
    assert.equal(fixture.sessions.use({ ...session.process, pid: process.pid }), undefined);
  });

  it('can be followed by another one in the same folders, and no recording is lost', async () => {
    const { policy, state } = await fixture.prepare();
    const open = () =>
      fixture.sessions.open({ id: newId('session'), runId: policy.account, policy, stateFolder: state });
    const first = await open();
    await first.exec('echo kept > file', patient);
    process.kill(first.process.pid, 'SIGKILL');
    const second = await open();
    assert.deepEqual(words(await second.exec('cat file', patient)), ok('kept\n'));
    await second.close('Done.');
    await until(async () => (await readdir(state)).join() === 'session-2.cast,session.cast');
  });

  it('is over for all when they are shut down, and none begins after that', async () => {
    const own = new SessionsFixture();
    const [first, second] = [await own.open(), await own.open()];
    const { policy, state } = await own.prepare();
    const options = { id: newId('session'), runId: policy.account, policy, stateFolder: state };
    const opening = assert.rejects(own.sessions.open(options), CancelledError);
    await own.sessions.shutdown();
    await opening;
    assert.deepEqual([first?.status, second?.status], ['closed', 'closed']);
    await assert.rejects(own.sessions.open(options), CancelledError);
    await own.dispose();
  });
});
