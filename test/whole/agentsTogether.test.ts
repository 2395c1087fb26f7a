import assert from 'node:assert/strict';
import type { SeenRequest } from '../fakes/messagesApi';
import { calls, says } from '../fakes/messagesApiTurns';
import { lastTextOf, runs, writes } from '../fakes/wholeModel';
import { resultFile, runOf, sampleCheck, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

describe('agents together', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('split a task, and a dependent part starts from the result of the one before', async () => {
    room.model.plays(
      'Plan it',
      calls('create_subtasks', {
        subtasks: [
          { key: 'value', title: 'The value', prompt: 'Set it.', checks: [sampleCheck] },
          { key: 'note', title: 'The note', prompt: 'Note it.', checks: [sampleCheck], depends_on: ['value'] },
        ],
      }),
      says('Two parts.'),
    );
    room.model.plays('The value', writes('value.txt', 'right\n'), says('Done.'));
    room.model.plays('The note', runs('cp value.txt note.txt'), says('Done.'));
    const executor = await room.open();
    const id = await executor.add({ title: 'Plan it', prompt: 'Plan it.', persona: 'planner' });
    assert.equal((await taskEnded(executor, id)).status, 'unchecked');
    const [value = '', note = ''] = runOf(executor, id).subtasks ?? [];
    assert.equal((await taskEnded(executor, note)).status, 'verified');
    assert.deepEqual(executor.state.tasks.get(value)?.spec.parent, { kind: 'subtask', taskId: id, depth: 1 });
    assert.equal(resultFile(room, runOf(executor, note).branch ?? '', 'note.txt').trim(), 'right');
  });

  it('have a result looked at by a reviewer, who can change neither it nor its verdict', async () => {
    const seen: SeenRequest[] = [];
    const keep = (request: SeenRequest): void => void seen.push(request);
    room.model.plays('Do it', writes('value.txt', 'right\n'), says('Done.'));
    let looked = (): void => {};
    const looking = new Promise<void>((resolve) => (looked = resolve));
    room.model.plays(
      'Review: Do it',
      (request) => {
        keep(request);
        return runs('cat value.txt; echo hacked > value.txt');
      },
      async (request) => {
        keep(request);
        await looking;
        return says('value.txt:1 is right.');
      },
    );
    const executor = await room.open({ settings: { reviewPersona: 'reviewer', reviewHolds: true } });
    const id = await executor.add({ title: 'Do it', prompt: 'Do it.', checks: [sampleCheck] });
    const review = await stateFits(executor, ({ tasks }) => tasks.get(id)?.review);
    await assert.rejects(executor.land(id, {}), { code: 'review-open' });
    looked();
    assert.equal((await taskEnded(executor, review)).status, 'unchecked');
    const [first, second] = seen.map(lastTextOf);
    assert.match(
      first ?? '',
      /checks say: verified\.\n\nWhat changed:\n\| diff --git a\/value\.txt b\/value\.txt\n[^]*\| -wrong\n\| \+right/,
    );
    assert.match(second ?? '', /^right$/m);
    assert.match(second ?? '', /Read-only file system/);
    const { status, review: itself } = executor.state.tasks.get(id) ?? assert.fail('it is gone');
    assert.deepEqual([status, itself, executor.state.tasks.get(review)?.review], ['verified', review, undefined]);
    assert.equal(runOf(executor, review).branch, null);
    assert.equal((await executor.land(id, {})).ref, 'refs/heads/main');
  });
});
