import assert from 'node:assert/strict';
import { isSeenIn, TouchedFiles } from '../../../src/ui/explorer/touchedFiles';

const change = (path: string, oldPath: string | null = null) => ({ path, oldPath });

describe('the files that tasks are changing', () => {
  it('are known by their places in the user’s repository, renamed ones by both names', () => {
    const touched = new TouchedFiles();
    assert.deepEqual(touched.set('task-a', '/srv/shop', [change('src/a.ts'), change('b', 'c')]), [
      '/srv/shop/src/a.ts',
      '/srv/shop/b',
      '/srv/shop/c',
    ]);
    touched.set('task-b', '/srv/shop', [change('b')]);
    assert.deepEqual(touched.tasksOf('/srv/shop/b'), ['task-a', 'task-b']);
    assert.deepEqual(touched.tasksOf('/srv/other/b'), []);
  });

  it('are asked for only where a folder shows some of them', () => {
    const repo = '/srv/shop';
    const seen = ['/srv/shop', '/srv/shop/src', '/srv', '/', '/srv/shop2', '/srv/other', '/srv/sho'].filter((folder) =>
      isSeenIn([folder], repo),
    );
    assert.deepEqual(seen, ['/srv/shop', '/srv/shop/src', '/srv', '/']);
    assert.deepEqual([isSeenIn([], repo), isSeenIn(['/srv/other', '/srv'], repo)], [false, true]);
  });

  it('are told of when they look different, and no others', () => {
    const touched = new TouchedFiles();
    touched.set('task-a', '/r', [change('a'), change('b')]);
    assert.deepEqual(touched.set('task-a', '/r', [change('b'), change('c')]), ['/r/a', '/r/c']);
    assert.deepEqual(touched.remove('task-a'), ['/r/b', '/r/c']);
    assert.deepEqual([touched.remove('task-a'), touched.tasks], [[], []]);
  });
});
