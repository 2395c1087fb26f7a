import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isAlive, parseProcessStat } from '../../../src/sessions/processIdentity';
import { descendantsOf, nowTicks, signalProcess } from '../../../src/sessions/processTree';

describe('the identity of a process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-identity-'));
  after(() => rmSync(folder, { recursive: true }));

  it('is read whatever the name of the program is', () => {
    const numbers = `S 17 4242 4243 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200`;
    for (const name of ['cat', 'a b', 'x) S 1 1 1', ') R (', '\n(', '']) {
      assert.deepEqual(parseProcessStat(`4242 (${name}) ${numbers}`), {
        pid: 4242,
        state: 'S',
        parentPid: 17,
        sessionId: 4243,
        startTicks: 987654,
      });
    }
    assert.equal(parseProcessStat(''), undefined);
    assert.equal(parseProcessStat('4242 (cat) S 1'), undefined);
  });

  it('holds for a living process with a nasty name and no longer after its end', async () => {
    const program = join(folder, 'x) R 1 1');
    copyFileSync('/bin/sleep', program);
    chmodSync(program, 0o755);
    const child = spawn(program, ['60']);
    await once(child, 'spawn');
    const identity = identify(child.pid ?? 0);
    assert.ok(identity);
    assert.equal(isAlive(identity), true);
    assert.equal(isAlive({ ...identity, startTicks: identity.startTicks + 1 }), false);
    assert.equal(isAlive({ ...identity, bootId: 'another boot' }), false);
    assert.ok(Math.abs(nowTicks() - identity.startTicks) < 500);
    const [own] = descendantsOf(process.pid).filter((each) => each.pid === child.pid);
    assert.equal(own?.startTicks, identity.startTicks);
    signalProcess({ pid: identity.pid, startTicks: identity.startTicks + 1 }, 'SIGKILL');
    assert.equal(isAlive(identity), true);
    signalProcess(identity, 'SIGKILL');
    await once(child, 'exit');
    assert.equal(isAlive(identity), false);
    assert.equal(identify(child.pid ?? 0), undefined);
  });
});
