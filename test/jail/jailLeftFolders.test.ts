import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jailPolicySchema } from '../../src/core/jailPolicy';
import { createJails } from '../../src/jail/jails';

const policy = jailPolicySchema.parse({ account: 'left-folders', workingDirectory: '/tmp' });
const pidNamespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';

describe('folders that a killed process left', () => {
  let temporary: string;
  let before: string | undefined;

  beforeEach(async () => {
    before = process.env['TMPDIR'];
    temporary = await mkdtemp(join(tmpdir(), 'airlock-left-'));
    process.env['TMPDIR'] = temporary;
  });

  afterEach(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(temporary, { recursive: true, force: true });
  });

  it('are gone after the next start, and nothing of anybody else', async () => {
    const script = `
      const { createJails } = require('./src/jail/jails.ts');
      const { jailPolicySchema } = require('./src/core/jailPolicy.ts');
      const { startCanaries } = require('./src/jail/canaries/trial.ts');
      const policy = jailPolicySchema.parse({ account: 'left', workingDirectory: '/tmp' });
      createJails().emptyCovers()
        .then(() => startCanaries(policy, { monotonicMs: () => 0 }, { toolChains: [] }))
        .then(() => { console.log('laid'); setInterval(() => {}, 1000); });`;
    const host = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    // Its end comes first when it could not lay them.
    assert.equal(await Promise.race([once(host.stdout, 'data').then(String), once(host, 'exit')]), 'laid\n');
    host.kill('SIGKILL');
    await once(host, 'exit');
    const left = readdirSync(temporary).filter((name) => name.startsWith('airlock-'));
    assert.equal(left.length, 3, 'the private folder, and a lure for each of the two canary programs');
    const others = [
      `airlock-jails-${pidNamespace}-${process.pid}-mine`,
      'airlock-jails-1-999999-1-elsewhere',
      'airlock-jails-report',
    ];
    for (const name of others) mkdirSync(join(temporary, name));
    const jails = createJails();
    await jails.readiness();
    await jails.shutdown();
    assert.deepEqual(
      readdirSync(temporary)
        .filter((name) => name.startsWith('airlock-'))
        .sort(),
      others.sort(),
    );
  });

  it('keep nobody from having jails when they cannot be deleted', async function () {
    // Nobody has the process number 0.
    const busy = join(temporary, `airlock-jails-${pidNamespace}-0-0-left`, 'busy');
    mkdirSync(busy, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', busy], { stdio: 'pipe' });
    } catch {
      console.log('      skipped: nothing can be mounted here');
      this.skip();
    }
    const jails = createJails();
    try {
      assert.equal((await jails.run({ policy, argv: ['true'] })).exitCode, 0);
      assert.equal(existsSync(busy), true);
    } finally {
      await jails.shutdown();
      execFileSync('umount', [busy]);
    }
  });
});
