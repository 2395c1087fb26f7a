import assert from 'node:assert/strict';
import type { SetupConfig } from '../../../src/core/dependencies';
import { dependencyKey, lockState } from '../../../src/workspaces/lockFiles';
import type { TreeListing } from '../../../src/workspaces/treeListing';

const setup: SetupConfig = { commands: ['npm ci'], network: [], lockFiles: null, outputs: null, timeoutMs: 1 };

function tree(files: Readonly<Record<string, string>>): TreeListing {
  return new Map(
    Object.entries(files).map(([path, id]) => [path, { mode: '100644', objectId: id.padEnd(40, '0') } as const]),
  );
}

describe('The lock files of a tree', () => {
  const base = { 'package-lock.json': 'a', 'packages/api/Cargo.lock': 'b', 'src/index.ts': 'c' };

  it('are those of the usual names, at any depth', () => {
    const same = lockState(tree({ ...base, 'src/index.ts': 'd', 'package.json': 'e' }), setup);
    assert.equal(same, lockState(tree(base), setup));
    for (const changed of ['package-lock.json', 'packages/api/Cargo.lock', 'go.sum']) {
      assert.notEqual(lockState(tree({ ...base, [changed]: 'f' }), setup), same, changed);
    }
  });

  it('are not those that came with a dependency', () => {
    const more = { ...base, 'node_modules/x/package-lock.json': 'f', 'vendor/y/Cargo.lock': 'f' };
    assert.equal(lockState(tree(more), setup), lockState(tree(base), setup));
  });

  it('are those that the configuration names, and no others', () => {
    const named = { ...setup, lockFiles: ['src/index.ts', 'gone.lock'] };
    const state = lockState(tree(base), named);
    assert.equal(lockState(tree({ ...base, 'package-lock.json': 'f' }), named), state);
    assert.notEqual(lockState(tree({ ...base, 'src/index.ts': 'f' }), named), state);
    assert.notEqual(lockState(tree({ ...base, 'gone.lock': 'f' }), named), state);
  });
});

describe('The key of dependencies', () => {
  const key = dependencyKey(setup, 'locks', 'x86_64 node 20', undefined);

  it('is the same for the same commands, locks and tool chain, however long they may take', () => {
    assert.equal(dependencyKey({ ...setup, timeoutMs: 2 }, 'locks', 'x86_64 node 20', undefined), key);
  });

  it('is another one when any of them is, and for a tree that shares with nobody', () => {
    const others = [
      dependencyKey({ ...setup, commands: ['npm ci', 'x'] }, 'locks', 'x86_64 node 20', undefined),
      dependencyKey({ ...setup, outputs: ['a'] }, 'locks', 'x86_64 node 20', undefined),
      dependencyKey(setup, 'other', 'x86_64 node 20', undefined),
      dependencyKey(setup, 'locks', 'aarch64 node 20', undefined),
      dependencyKey(setup, 'locks', 'x86_64 node 20', 'a'.repeat(40)),
      dependencyKey(setup, 'locks', 'x86_64 node 20', 'b'.repeat(40)),
    ];
    assert.equal(new Set([key, ...others]).size, others.length + 1);
  });
});
