import assert from 'node:assert/strict';
import { hasConflictMarkers } from '../../../src/core/conflict';
import type { EventBody } from '../../../src/core/events';
import type { LandingState } from '../../../src/core/liveState';
import { FakeExecutor } from '../../fakes/executor';

describe('a conflict that is resolved by hand', () => {
  const marked = (text: string): boolean => hasConflictMarkers(Buffer.from(text));

  it('is open as long as either end of a marked place is there', () => {
    assert.equal(marked('a\n<<<<<<< main\nb\n=======\nc\n>>>>>>> result\n'), true);
    assert.equal(marked('<<<<<<<\r\nb\r\n>>>>>>>\r\n'), true);
    assert.equal(marked('Title\n=======\n'), false);
    assert.equal(marked('<<<<<<< main\nonly the one end\n'), true);
    assert.equal(marked('only the other end\n>>>>>>> result\n'), true);
    assert.equal(marked('cat <<<<<<<< a\n a <<<<<<< b\n>>>>>>>> c\n'), false);
  });

  const [target, later] = ['1'.repeat(40), '2'.repeat(40)];
  const found = { path: 'a', base: null, target: null, result: null };

  async function after(...bodies: ((taskId: string) => EventBody)[]): Promise<LandingState | null | undefined> {
    const executor = new FakeExecutor();
    const taskId = await executor.add({ title: 'Fix it', prompt: 'Fix the test' });
    executor.append(...bodies.map((body) => body(taskId)));
    return executor.state.tasks.get(taskId)?.landing;
  }

  const started =
    (...resolved: string[]) =>
    (taskId: string): EventBody => ({
      kind: 'landing.started',
      taskId,
      runId: 'run-2',
      ref: 'refs/heads/main',
      only: null,
      resolved,
    });
  const failed =
    (code: string, at: string | null = null) =>
    (taskId: string): EventBody => ({
      kind: 'landing.failed',
      taskId,
      code,
      reason: '',
      files: at === null ? [] : ['a'],
      target: at,
      conflicts: at === null ? [] : [found],
    });
  const inConflict = [started(), failed('landing-conflict', target)];

  it('stays known when its resolution is not accepted or given up, and then is as it was', async () => {
    for (const code of ['landing-check-failed', 'landing-overwrites', 'landing-interrupted', 'landing-cancelled']) {
      const landing = await after(...inConflict, started('a'), failed(code));
      assert.deepEqual([landing?.conflict, landing?.files], [{ target, paths: [found] }, ['a']], code);
      assert.equal(landing?.code, code === 'landing-cancelled' ? 'landing-conflict' : code);
    }
  });

  it('gives way to the next one, to its end, and to a landing without a resolution', async () => {
    const next = await after(...inConflict, started('a'), failed('landing-conflict', later));
    assert.equal(next?.conflict?.target, later);
    assert.equal((await after(...inConflict, started('a'), failed('landing-outdated')))?.conflict, null);
    assert.equal((await after(...inConflict, started(), failed('landing-check-failed')))?.conflict, null);
    assert.equal(await after(...inConflict, started(), failed('landing-cancelled')), null);
  });
});
