import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  changesArguments,
  diffTreeArguments,
  parseChanges,
  parseRawChanges,
} from '../../../src/workspaces/diffListing';
import { commitAll, git, makeRepository, makeTempFolder, removeFolder, writeFiles } from './sampleRepository';

describe('The listing of a difference', () => {
  let top: string;
  let repo: string;

  beforeEach(() => {
    top = makeTempFolder();
    repo = makeRepository(join(top, 'repo'), {
      'keep.txt': 'same\n',
      'edit.txt': 'one\ntwo\nthree\n',
      'old name.txt': 'a long enough text\nto be seen again\nafter a rename\n',
      'gone.txt': 'quite other words\nand more\n',
      'picture.bin': 'a\0b',
      typed: 'file\n',
    });
  });
  afterEach(() => removeFolder(top));

  function diff(args: readonly string[]): Buffer {
    return execFileSync('git', ['diff-tree', ...args, 'HEAD^', 'HEAD'], { cwd: repo });
  }

  it('has every kind of change, renames and counts of lines', () => {
    for (const path of ['gone.txt', 'old name.txt', 'typed']) rmSync(join(repo, path));
    writeFiles(repo, {
      'edit.txt': 'one\nTWO\nthree\nfour\n',
      'new\nname "é".txt': 'a long enough text\nto be seen again\nafter a rename\n',
      'picture.bin': 'a\0c',
      typed: { link: 'keep.txt' },
      'added\there': 'x\n',
      'empty.txt': '',
    });
    commitAll(repo, 'change');
    assert.deepEqual(parseChanges(diff(changesArguments)), [
      { path: 'added\there', oldPath: null, kind: 'added', insertions: 1, deletions: 0 },
      { path: 'edit.txt', oldPath: null, kind: 'modified', insertions: 2, deletions: 1 },
      { path: 'empty.txt', oldPath: null, kind: 'added', insertions: 0, deletions: 0 },
      { path: 'gone.txt', oldPath: null, kind: 'deleted', insertions: 0, deletions: 2 },
      { path: 'new\nname "é".txt', oldPath: 'old name.txt', kind: 'renamed', insertions: 0, deletions: 0 },
      { path: 'picture.bin', oldPath: null, kind: 'modified', insertions: null, deletions: null },
      { path: 'typed', oldPath: null, kind: 'typeChanged', insertions: 1, deletions: 1 },
    ]);
  });

  it('is empty when nothing differs', () => {
    git(repo, 'commit', '-q', '--allow-empty', '-m', 'nothing');
    assert.deepEqual(parseChanges(diff(changesArguments)), []);
  });

  it('tells, raw, what stood there before', () => {
    rmSync(join(repo, 'gone.txt'));
    writeFiles(repo, { 'new.txt': 'n\n' });
    commitAll(repo, 'change');
    assert.deepEqual(parseRawChanges(diff([...diffTreeArguments, '--no-renames'])), [
      {
        path: 'gone.txt',
        oldPath: null,
        status: 'D',
        before: { mode: '100644', objectId: git(repo, 'rev-parse', 'HEAD^:gone.txt') },
      },
      { path: 'new.txt', oldPath: null, status: 'A', before: undefined },
    ]);
  });

  it('is refused when it is cut short', () => {
    assert.throws(() => parseChanges(Buffer.from(':100644 100644 abc def M\0')), /unknown/);
    assert.throws(() => parseChanges(Buffer.from('nonsense\0')), /unknown/);
  });
});
