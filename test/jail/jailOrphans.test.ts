import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createJails } from '../../src/jail/jails';
import { hostProcesses } from './jailRoom';

describe('jails of a process that was killed', () => {
  it('are gone after the next start, those that were just being built included', async function () {
    this.timeout(60_000);
    const sleep = `sleep 51.${process.pid}`;
    const script = `
      const { createJails } = require('./src/jail/jails.ts');
      const { jailPolicySchema } = require('./src/core/jailPolicy.ts');
      const policy = jailPolicySchema.parse({ account: 'orphan', workingDirectory: '/' });
      const jails = createJails();
      jails.readiness().then(() => {
        console.log('ready');
        setInterval(() => void jails.run({ policy, argv: ['/bin/${sleep.split(' ')[0]}', '${sleep.split(' ')[1]}'] }), 3);
      });`;
    const host = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(host.stdout, 'data');
    // In the midst of building: several jails are up by then, and others are not yet.
    while (hostProcesses(sleep).length < 6) await new Promise((resolve) => setImmediate(resolve));
    host.kill('SIGKILL');
    await once(host, 'exit');
    const jails = createJails();
    await jails.readiness();
    await jails.shutdown();
    // Jails that were whole die by themselves, at the kernel's pace.
    const deadline = Date.now() + 5_000;
    while (hostProcesses(sleep).length > 0 && Date.now() < deadline)
      await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(hostProcesses(sleep), []);
    const folders = (await readdir(tmpdir())).filter(
      (name) => name.startsWith('airlock-jails-') && name.includes(`-${host.pid}-`),
    );
    assert.deepEqual(folders, []);
  });
});
