import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock';
import { startCanaries } from '../../src/jail/canaries/trial';
import { bwrapInvocation } from '../../src/jail/argv';
import { ptyLaunch } from '../../src/jail/ptyLaunch';
import { type JailRoom, openJailRoom } from './jailRoom';

describe('the proof of a jail', () => {
  let room: JailRoom;

  before(async () => {
    room = await openJailRoom();
  });

  after(() => room.close());

  it('holds, and leaves nothing behind', async () => {
    const canaryFolders = async (): Promise<string[]> =>
      (await readdir(tmpdir())).filter(
        (name) => name.startsWith('airlock-jails-') && name.includes(`-${process.pid}-`),
      );
    const before = await canaryFolders();
    const proof = await room.jails.prove(room.policy());
    assert.equal(proof.proven, true, JSON.stringify(proof, null, 2));
    assert.ok(proof.canaries.length >= 5);
    assert.deepEqual(
      (await canaryFolders()).filter((name) => !before.includes(name)),
      [],
    );
  });

  it('fails for a jail that shows the folder of temporary files', async () => {
    const shown = tmpdir();
    const policy = room.policy({ workingDirectory: '/', mounts: [{ from: shown, at: shown, access: 'write' }] });
    const proof = await room.jails.prove(policy);
    const escaped = proof.canaries.filter((canary) => !canary.held).map(({ attempt }) => attempt);
    assert.deepEqual(
      { proven: proof.proven, escaped },
      { proven: false, escaped: ['read a file of the host', 'write outside the jail'] },
    );
  });

  it('sees a home that is there', async function () {
    if ((await readdir(homedir()).catch(() => [])).length === 0) {
      console.warn('      skipped: the home folder of this user is empty');
      this.skip();
    }
    const trial = await startCanaries(room.policy(), systemClock, await room.jails.facts());
    try {
      const [program = '', ...rest] = trial.argv;
      const { stdout } = spawnSync(program, rest, { env: { PATH: '/usr/bin:/bin', AIRLOCK_CANARY: 'x' } });
      const proof = await trial.judge(stdout);
      assert.deepEqual(
        proof.canaries.map(({ held }) => held),
        proof.canaries.map(() => false),
        'outside a jail every canary gets through',
      );
    } finally {
      await trial.dispose();
    }
  });

  it('is told by "airlock doctor", attempt by attempt, and so is a jail that does not hold', async () => {
    const shown = join(room.root, 'shown');
    await mkdir(shown);
    const doctor = (more: Record<string, string>) => {
      const argv = ['dist/airlock.js', 'doctor', '--storage', join(room.root, 'storage')];
      const env = { ...process.env, ...more };
      const { status, stdout } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' });
      return { status, proof: /. jail proof.*\n(?: {10,}.*\n)*/.exec(stdout)?.[0].trim().split(/\n\s+/) ?? [stdout] };
    };
    const whole = doctor({});
    assert.match(whole.proof[0] ?? '', /^✔ jail proof +(\d+) of \1 attempts to get out were contained$/);
    assert.ok(whole.proof.includes("✔ reach the host's loopback: expected no connection, seen refused"));
    // A jail that sees the folder of temporary files, where the canary lies.
    const broken = doctor({ TMPDIR: shown, AIRLOCK_TOOL_CHAINS: shown });
    assert.match(broken.proof[0] ?? '', /^✘ jail proof +\d+ of \d+ attempts to get out were contained$/);
    assert.ok(broken.proof.includes('✘ read a file of the host: expected no such file, seen the file was read'));
    assert.equal(broken.status, 2);
  });

  it('can be had of the very jail of a session, on a terminal', async () => {
    const facts = await room.jails.facts();
    const trial = await startCanaries(room.policy(), systemClock, await room.jails.facts());
    const folder = join(room.root, 'launch');
    await mkdir(folder);
    const launch = await ptyLaunch(
      bwrapInvocation(room.policy(), facts, trial.argv, { newSession: false }),
      join(folder, 'files'),
    );
    try {
      const { stdout, stderr } = spawnSync(launch.file, launch.args, { env: {} });
      const proof = await trial.judge(stdout);
      assert.equal(proof.proven, true, `${JSON.stringify(proof, null, 2)}\n${stderr.toString()}`);
    } finally {
      await launch.dispose();
      await trial.dispose();
    }
    assert.deepEqual(await readdir(folder), []);
  });
});

describe('jails on a machine that cannot have them', () => {
  it('run nothing, and say why and what to do', async () => {
    const { createJails } = await import('../../src/jail/jails');
    const { missing } = await import('../../src/jail/detectHost');
    const jails = createJails({
      probe: {
        detect: () => Promise.reject(missing('no-bwrap', 'Bubblewrap is not installed.', 'Install it.')),
        tryJail: () => assert.fail('nothing is to be started'),
        readProc: () => undefined,
      },
    });
    const room = await openJailRoom();
    const policy = room.policy();
    await room.close();
    await assert.rejects(jails.run({ policy, argv: ['/bin/true'] }), {
      code: 'jail-unavailable',
      message: 'Bubblewrap is not installed. Install it.',
    });
    await assert.rejects(jails.prove(policy), { code: 'jail-unavailable' });
    await jails.shutdown();
  });
});
