import assert from 'node:assert/strict';
import { bytesOf, foldersAbove, isStorable, printable, textOf } from '../../../src/workspaces/pathBytes';

describe('Path bytes', () => {
  it('are text when they are UTF-8, and nothing otherwise', () => {
    assert.equal(textOf(bytesOf('grün/日本.txt')), 'grün/日本.txt');
    assert.equal(textOf('bad\xff'), undefined);
  });

  it('keep a byte order mark', () => {
    assert.equal(textOf(bytesOf('\ufeffname')), '\ufeffname');
  });

  it('are shown with control characters and broken bytes escaped', () => {
    assert.equal(printable(bytesOf('a\nb\u001b[31m é')), 'a\\x0ab\\x1b[31m é');
    assert.equal(printable('x\xfe\n'), 'x\\xfe\\x0a');
  });

  it('have folders above them, the nearest first', () => {
    assert.deepEqual([...foldersAbove('a/b/c')], ['a/b', 'a']);
    assert.deepEqual([...foldersAbove('a')], []);
  });

  it('can be stored when every system can check them out', () => {
    const good = ['a', 'a\nb', '-rf', ' ', '.gitignore', '.github/x', 'git~2x', 'x.git', `${'n'.repeat(255)}/f`];
    assert.deepEqual(
      good.filter((path) => !isStorable(bytesOf(path))),
      [],
    );
  });

  it('cannot be stored when some system takes a part of them for .git', () => {
    const bad = [
      '.git',
      'a/.GIT/config',
      '.git ',
      '.git.',
      '.git::$INDEX_ALLOCATION',
      'git~1',
      'GIT~1/x',
      '.g\u200cit/x',
      '.git\\x',
    ];
    assert.deepEqual(
      bad.filter((path) => isStorable(bytesOf(path))),
      [],
    );
  });

  it('cannot be stored when they are no UTF-8 or too long', () => {
    assert.equal(isStorable('\xff'), false);
    assert.equal(isStorable(`${'d/'.repeat(1600)}f`), false);
  });
});
