import assert from 'node:assert/strict';
import path from 'node:path';
import { makeSampleRepository } from '../../src/engines/scripted/sampleRepository';
import { newSampleTasks, sampleTasks } from '../../src/engines/scripted/sampleTasks';
import { taskEnded, WholeRoom } from '../fakes/wholeRoom';

describe('the samples, where nobody has set up a model', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('end as foretold beside each other, cost nothing, and ask no other model', async () => {
    const repo = path.join(room.folder('samples'), 'corner-shop');
    await makeSampleRepository(repo);
    const executor = await room.open({ engine: { kind: 'none' }, repositories: () => [repo], sources: [] });
    const ids: string[] = [];
    for (const task of newSampleTasks(repo)) ids.push(await executor.add(task));
    const ended = await Promise.all(ids.map((id) => taskEnded(executor, id)));
    assert.deepEqual(
      ended.map(({ spec, status, reason }) => [spec.title, status, status === 'failed' ? reason : '']),
      sampleTasks.map(({ description, expected }) => [description.split('\n')[0], expected[0], '']),
    );
    assert.equal(room.model.api.requests.length, 0);
    assert.deepEqual([...new Set([...executor.state.runs.values()].map(({ costUsd }) => costUsd))], [0]);
  });
});
