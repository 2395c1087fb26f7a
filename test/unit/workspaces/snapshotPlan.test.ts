import assert from 'node:assert/strict';
import type { FoundPath } from '../../../src/workspaces/folderScan';
import { planSnapshot, type SnapshotRules } from '../../../src/workspaces/snapshotPlan';
import type { EntryMode, TreeEntry } from '../../../src/workspaces/treeListing';

function found(path: string, more: Partial<FoundPath> = {}): FoundPath {
  return {
    kind: 'file',
    path,
    sizeBytes: 10,
    isExecutable: false,
    target: '',
    stamp: `new ${path}`,
    changedAtMs: 5,
    ...more,
  };
}

function listing(paths: Readonly<Record<string, EntryMode>>): Map<string, TreeEntry> {
  return new Map(Object.entries(paths).map(([path, mode]) => [path, { mode, objectId: '1'.repeat(40) }]));
}

function plan(paths: readonly FoundPath[], rules: Partial<SnapshotRules> = {}, ignored: readonly string[] = []) {
  return planSnapshot(
    { found: paths, ignored: new Set(ignored) },
    { base: new Map(), baseline: new Map(), shares: [], maxFileBytes: 100, ...rules },
  );
}

function file(path: string, mode: '100644' | '100755') {
  return { path, mode, sizeBytes: 10, stamp: `new ${path}`, changedAtMs: 5 };
}

const nothing = { removed: [], files: [], links: [], skipped: [], sizeBytes: 0 };

describe('The plan of a snapshot', () => {
  it('reads nothing of what is as it was checked out', () => {
    const base = listing({ a: '100644' });
    assert.deepEqual(plan([found('a', { stamp: 'old' })], { base, baseline: new Map([['a', 'old']]) }), nothing);
  });

  it('takes files with their mode, and links with their target', () => {
    assert.deepEqual(
      plan([found('a'), found('b', { isExecutable: true }), found('c', { kind: 'link', target: '/etc' })]),
      {
        ...nothing,
        files: [file('a', '100644'), file('b', '100755')],
        links: [{ path: 'c', target: '/etc' }],
        sizeBytes: 20,
      },
    );
  });

  it('removes what is gone, and what a folder or a link has replaced', () => {
    const base = listing({ gone: '100644', 'dir/x': '100644', file: '100644' });
    const result = plan([found('dir', { kind: 'link', target: '.' }), found('file/y')], { base });
    assert.deepEqual(result.removed, ['gone', 'dir/x', 'file']);
  });

  it('leaves out what is ignored and not in the base', () => {
    const base = listing({ 'kept.log': '100644' });
    const result = plan([found('kept.log'), found('new.log'), found('pipe.log', { kind: 'special' })], { base }, [
      'kept.log',
      'new.log',
      'pipe.log',
    ]);
    assert.deepEqual(result, { ...nothing, files: [file('kept.log', '100644')], sizeBytes: 10 });
  });

  it('leaves out what lies in a share, whether it is ignored or not', () => {
    const result = plan([found('node_modules/x'), found('node_modules'), found('node_modules2')], {
      shares: ['node_modules'],
    });
    assert.deepEqual(
      result.files.map(({ path }) => path),
      ['node_modules2'],
    );
  });

  it('names what cannot be taken, and keeps it as it is in the base', () => {
    const base = listing({ pipe: '100644', 'closed/x': '100644', big: '100644', 'sub/y': '100644' });
    const result = plan(
      [
        found('pipe', { kind: 'special' }),
        found('closed', { kind: 'unreadable' }),
        found('big', { sizeBytes: 101 }),
        found('sub/.git', { kind: 'nested-repository' }),
        found('sub/y'),
        found('bad\xff'),
        found('.GIT/hooks/x'),
      ],
      { base },
    );
    assert.deepEqual(result, {
      ...nothing,
      files: [file('sub/y', '100644')],
      sizeBytes: 10,
      skipped: [
        { path: '.GIT/hooks/x', reason: 'invalid-name' },
        { path: 'bad\\xff', reason: 'invalid-name' },
        { path: 'big', reason: 'too-large' },
        { path: 'closed', reason: 'unreadable' },
        { path: 'pipe', reason: 'special' },
        { path: 'sub/.git', reason: 'nested-repository' },
      ],
    });
  });

  it('leaves a submodule as it is, whatever is put in its folder', () => {
    const base = listing({ lib: '160000' });
    assert.deepEqual(plan([], { base }), nothing);
    assert.deepEqual(plan([found('lib/x')], { base }).skipped, [{ path: 'lib/x', reason: 'nested-repository' }]);
    assert.deepEqual(plan([found('lib', { kind: 'link' })], { base }).links, []);
  });

  it('names at most 1,000 paths', () => {
    const pipes = Array.from({ length: 1500 }, (_, index) => found(`p${index}`, { kind: 'special' }));
    assert.equal(plan(pipes).skipped.length, 1000);
  });
});
