import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { detectToolChains } from '../../../src/jail/toolChains';

describe('detectToolChains', () => {
  let root: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'airlock-tools-')));
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  const program = async (path: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), '', { mode: 0o755 });
  };

  it('finds Node behind its links, and shows neither its configuration nor what lies beside it', async () => {
    await program('versions/v22/bin/node');
    await mkdir(join(root, 'versions/v22/lib/node_modules/npm'), { recursive: true });
    await mkdir(join(root, 'bin'));
    await symlink(join(root, 'versions/v22/bin/node'), join(root, 'bin/node'));
    assert.deepEqual(await detectToolChains(`relative:${join(root, 'none')}:${join(root, 'bin')}:/usr/bin`), [
      {
        name: 'node',
        mounts: [
          { from: join(root, 'versions/v22/bin'), at: '/opt/tools/node/bin' },
          { from: join(root, 'versions/v22/lib'), at: '/opt/tools/node/lib' },
        ],
        bin: '/opt/tools/node/bin',
      },
    ]);
  });

  it('shows no folder that only happens to hold a program called node', async () => {
    await program('bin/node');
    assert.deepEqual(await detectToolChains(join(root, 'bin')), []);
  });

  it('needs to show nothing when Node is a program of the system', async () => {
    await symlink('/usr/bin/env', join(root, 'node'));
    assert.deepEqual(await detectToolChains(root), []);
  });
});
