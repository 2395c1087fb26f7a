import assert from 'node:assert/strict';
import { topToRemake } from '../../../src/ui/treeTop';

describe('making a tree anew', () => {
  const done = { group: 'done' };
  const queued = { group: 'queued' };

  it('starts below the top when the top is what VS Code was given, so that no row is lost in between', () => {
    assert.deepEqual(topToRemake([queued, done], [queued, done]), [queued, done]);
    assert.deepEqual(topToRemake([], []), []);
  });

  it('makes all of it anew when something at the top came, went or moved, or was never given', () => {
    const tops = [undefined, [done], [done, queued], [queued, done, done]];
    assert.deepEqual(
      tops.map((given) => topToRemake(given, [queued, done])),
      tops.map(() => undefined),
    );
  });
});
