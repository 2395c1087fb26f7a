import assert from 'node:assert/strict';
import { claimsSchema, standingOf } from '../../src/core/claims';
import type { Executor } from '../../src/core/executor';
import type { TaskState } from '../../src/core/liveState';
import { calls, says } from '../fakes/messagesApiTurns';
import { lastTextOf, runs, writes } from '../fakes/wholeModel';
import { runOf, sampleCheck, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

function asking(executor: Executor, taskId: string): Promise<TaskState> {
  return stateFits(executor, ({ tasks, sessions }) => {
    const task = tasks.get(taskId);
    return task?.status === 'waiting' && sessions.size === 0 ? task : undefined;
  });
}

describe('an agent that asks its user', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('waits without a jail, over a restart too, and goes on with the answer where it was', async () => {
    const heard: string[] = [];
    room.model.plays(
      'Ask',
      runs('echo kept > note.txt; echo "$RANDOM"'),
      calls('ask_user', { question: 'Which\u202e one?', choices: ['right', 'left'] }),
      (request) => {
        heard.push(lastTextOf(request));
        return writes('value.txt', 'right\n');
      },
      calls('finish', {
        summary: 'It is right.',
        claims: [{ statement: 'The value is right.', check: sampleCheck }, { statement: 'It is pretty.' }],
      }),
      says('Done.'),
    );
    const first = await room.open();
    const id = await first.add({ title: 'Ask', prompt: 'Ask.', checks: [sampleCheck] });
    const task = await asking(first, id);
    assert.equal(task.waitingOn, 'user');
    assert.match(task.reason, /^The agent asks: Which\S+ one\?\n1\. right\n2\. left$/);
    assert.doesNotMatch(task.reason, /\u202e/);
    const requests = room.model.api.requests.length;
    await first.shutdown();

    const second = await room.open();
    assert.equal(second.state.tasks.get(id)?.status, 'waiting');
    await assert.rejects(second.answer(id, ' '), { code: 'answer-invalid' });
    assert.equal(room.model.api.requests.length, requests);
    await second.answer(id, 'The right one.');
    const ended = await taskEnded(second, id);
    assert.equal(ended.status, 'verified', ended.reason);
    assert.match(heard.join(), /The user answers:\nThe right one\./);
    assert.deepEqual(room.model.api.paidTwice(), []);
    await assert.rejects(second.answer(id, 'Again.'), { code: 'wrong-state' });

    const run = runOf(second, id);
    const bytes = await second.readBlob(run.claims ?? '');
    const { summary, claims } = claimsSchema.parse(JSON.parse(Buffer.from(bytes ?? '').toString('utf8')));
    assert.equal(summary, 'It is right.');
    assert.deepEqual(
      claims.map((claim) => [claim.statement, standingOf(claim, run.checks)]),
      [
        ['The value is right.', 'confirmed'],
        ['It is pretty.', 'unproven'],
      ],
    );
  });
});
