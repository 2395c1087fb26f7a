import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jailPolicySchema, type Mount } from '../../../src/core/jailPolicy';
import { checkMounts } from '../../../src/jail/mountCheck';

describe('checkMounts', () => {
  let root: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'airlock-mounts-')));
    await mkdir(join(root, 'workspace/real'), { recursive: true });
    await mkdir(join(root, 'shared'));
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  const check = (...mounts: Mount[]): Promise<unknown> =>
    checkMounts(jailPolicySchema.parse({ account: 'run-1', mounts })).then((policy) => policy.mounts);
  const workspace = (): Mount => ({ from: join(root, 'workspace'), at: '/workspace', access: 'write' });
  const shared = (at: string): Mount => ({ from: join(root, 'shared'), at, access: 'read' });

  it('answers the real path of each source', async () => {
    await symlink(join(root, 'shared'), join(root, 'link'));
    assert.deepEqual(await check({ from: join(root, 'link'), at: '/data', access: 'read' }), [shared('/data')]);
  });

  it('refuses a source that is not there', async () => {
    await assert.rejects(check({ from: join(root, 'gone'), at: '/data', access: 'read' }), { code: 'mount-missing' });
  });

  it('lets a mount lie in another one, at a folder or at a name that is free', async () => {
    const mounts = [workspace(), shared('/workspace/real'), shared('/workspace/new/deep')];
    assert.deepEqual(await check(...mounts), mounts);
  });

  it('refuses a mount point that is a link or lies behind one', async () => {
    await symlink('/etc', join(root, 'workspace/link'));
    for (const at of ['/workspace/link', '/workspace/link/deep']) {
      await assert.rejects(check(workspace(), shared(at)), { code: 'mount-point-unsafe' });
    }
  });
});
