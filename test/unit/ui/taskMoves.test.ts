import assert from 'node:assert/strict';
import fc from 'fast-check';
import { moveOf } from '../../../src/ui/tasks/taskMoves';

const order = ['a', 'b', 'c', 'd', 'e'];

describe('moves of tasks in the queue', () => {
  it('go one place up or down, past what is not moved', () => {
    assert.deepEqual(moveOf(order, ['c'], { kind: 'up' }), { taskIds: ['c'], before: 'b' });
    assert.deepEqual(moveOf(order, ['c'], { kind: 'down' }), { taskIds: ['c'], before: 'e' });
    assert.deepEqual(moveOf(order, ['d'], { kind: 'down' }), { taskIds: ['d'], before: null });
  });

  it('bring several together, in the order in which they stand', () => {
    assert.deepEqual(moveOf(order, ['d', 'b'], { kind: 'top' }), { taskIds: ['b', 'd'], before: 'a' });
    assert.deepEqual(moveOf(order, ['e', 'c'], { kind: 'up' }), { taskIds: ['c', 'e'], before: 'b' });
    assert.deepEqual(moveOf(order, ['b', 'a'], { kind: 'end' }), { taskIds: ['a', 'b'], before: null });
  });

  it('put what is dropped on a task where that one is, which makes room in the direction that it came from', () => {
    assert.deepEqual(moveOf(order, ['d'], { kind: 'at', taskId: 'b' }), { taskIds: ['d'], before: 'b' });
    assert.deepEqual(moveOf(order, ['b'], { kind: 'at', taskId: 'd' }), { taskIds: ['b'], before: 'e' });
    assert.deepEqual(moveOf(order, ['a'], { kind: 'at', taskId: 'e' }), { taskIds: ['a'], before: null });
  });

  it('are none when nothing would change or nothing can be moved', () => {
    assert.equal(moveOf(order, ['a'], { kind: 'up' }), undefined);
    assert.equal(moveOf(order, ['e'], { kind: 'down' }), undefined);
    assert.equal(moveOf(order, ['a', 'b'], { kind: 'top' }), undefined);
    assert.equal(moveOf(order, ['b', 'c'], { kind: 'at', taskId: 'c' }), undefined);
    assert.equal(moveOf(order, ['b'], { kind: 'at', taskId: 'runs' }), undefined);
    assert.equal(moveOf(order, ['runs'], { kind: 'top' }), undefined);
  });

  it('keep the order of all others', () => {
    const aims = ['up', 'down', 'top', 'end', ...order] as const;
    fc.assert(
      fc.property(fc.subarray(order), fc.constantFrom(...aims), (moved, to) => {
        const isKind = to === 'up' || to === 'down' || to === 'top' || to === 'end';
        const move = moveOf(order, moved, isKind ? { kind: to } : { kind: 'at', taskId: to });
        if (!move) return;
        assert.deepEqual(move.taskIds, moved);
        assert.ok(move.before === null || !moved.includes(move.before));
      }),
    );
  });
});
