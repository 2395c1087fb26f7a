import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jailPolicySchema } from '../../src/core/jailPolicy';
import { createJails } from '../../src/jail/jails';

describe('a folder of a dead process that cannot be deleted', () => {
  it('keeps nobody from having jails', async function () {
    // Nobody has the process number 0.
    const left = mkdtempSync(join(tmpdir(), 'airlock-jails-0-0-'));
    const busy = join(left, 'busy');
    mkdirSync(busy);
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', busy], { stdio: 'pipe' });
    } catch {
      rmSync(left, { recursive: true });
      console.log('      skipped: nothing can be mounted here');
      this.skip();
    }
    const jails = createJails();
    try {
      const policy = jailPolicySchema.parse({ account: 'left-folders', workingDirectory: '/tmp' });
      assert.equal((await jails.run({ policy, argv: ['true'] })).exitCode, 0);
    } finally {
      await jails.shutdown();
      execFileSync('umount', [busy]);
      rmSync(left, { recursive: true, force: true });
    }
  });
});
