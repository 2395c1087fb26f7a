import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { hostProcesses, type JailRoom, needProgram, openJailRoom } from './jailRoom';

describe('outliving a jail', () => {
  let room: JailRoom;

  beforeEach(async () => {
    room = await openJailRoom();
  });

  afterEach(() => room.close());

  const ways: Record<string, (sleep: string) => string> = {
    'in the background': (sleep) => `${sleep} &`,
    'in a session of its own': (sleep) => `setsid ${sleep} >/dev/null 2>&1 </dev/null &`,
    'after a double fork': (sleep) => `( ( ${sleep} & ) & ) >/dev/null 2>&1`,
    'deaf to hang-ups': (sleep) => `nohup ${sleep} >/dev/null 2>&1 &`,
    stopped: (sleep) => `${sleep} & kill -STOP $!`,
    'deaf to all signals': (sleep) => `(trap '' HUP INT QUIT TERM PIPE; ${sleep}; ${sleep}) >/dev/null 2>&1 &`,
  };

  for (const [way, script] of Object.entries(ways)) {
    it(`is not possible ${way}`, async () => {
      const mark = `41.${process.pid}`;
      const { stdout, exitCode } = await room.sh(`${script(`sleep ${mark}`)}\necho started`);
      assert.deepEqual(
        { exitCode, stdout, left: hostProcesses(`sleep ${mark}`) },
        { exitCode: 0, stdout: 'started\n', left: [] },
      );
    });
  }

  it('is not possible when the jails are shut down', async () => {
    const mark = `42.${process.pid}`;
    const started = new Promise<void>((resolve) => {
      void room.sh(`echo started; sleep ${mark}`, { onOutput: () => resolve() }).catch(() => {});
    });
    await started;
    await room.jails.shutdown();
    assert.deepEqual(hostProcesses(`sleep ${mark}`), []);
    await assert.rejects(room.run(['/bin/true']), { name: 'CancelledError' });
  });
});

describe('leaking into a jail', () => {
  let room: JailRoom;

  before(async () => {
    room = await openJailRoom();
  });

  after(() => room.close());

  const openDescriptors = async (): Promise<string[]> =>
    (await room.sh('for path in /proc/self/fd/*; do readlink "$path"; done')).stdout.trim().split('\n');

  it('hands on no descriptor but the three', async () => {
    const fd = openSync('/etc/passwd', 'r');
    try {
      const { stdout } = await room.run(['/bin/ls', '/proc/self/fd']);
      assert.deepEqual(stdout.trim().split('\n'), ['0', '1', '2', '3'], 'the fourth is the listing itself');
    } finally {
      closeSync(fd);
    }
  });

  it('closes even a descriptor that somebody left open for children', async function () {
    needProgram(this, '/usr/bin/perl');
    const { spawnSync } = await import('node:child_process');
    const script = `
      const { openJailRoom } = require('./test/jail/jailRoom.ts');
      openJailRoom().then(async (room) => {
        const { stdout } = await room.run(['/bin/ls', '/proc/self/fd']);
        await room.close();
        console.log(JSON.stringify(stdout.trim().split('\\n')));
      });`;
    // Descriptor 30 is inherited through both programs: Node did not open it, so it is not close-on-exec.
    const argv = ['-c', 'exec "$@" 30</etc/hostname', 'bash', process.execPath, '--import', 'tsx', '-e', script];
    const { stdout, stderr } = spawnSync('/bin/bash', argv, { encoding: 'utf8' });
    assert.equal(stdout.trim(), '["0","1","2","3"]', stderr);
  });

  it('leaves output as pipes that a script can open by name', async () => {
    const { stdout, stderr } = await room.sh('echo one >/dev/stdout; echo two >/dev/stderr');
    assert.deepEqual({ stdout, stderr }, { stdout: 'one\n', stderr: 'two\n' });
    assert.equal(
      (await openDescriptors()).some((target) => target.startsWith('socket:')),
      false,
    );
  });
});
