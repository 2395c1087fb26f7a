import assert from 'node:assert/strict';
import { says } from '../fakes/messagesApiTurns';
import { honestWork, writes } from '../fakes/wholeModel';
import { sampleCheck, sampleFiles, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

describe('runs that touch the same lines', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make({ ...sampleFiles, 'other.txt': 'other\n' })));
  afterEach(() => room.close());

  it('are told of while they still run, and no more when one of them is done with', async () => {
    const executor = await room.open();
    const add = (title: string) => executor.add({ title, prompt: title, checks: [sampleCheck] });
    const overlapsOf = (taskId: string) => executor.state.tasks.get(taskId)?.overlaps;
    room.model.plays('First', ...honestWork);
    const first = await add('First');
    assert.equal((await taskEnded(executor, first)).status, 'verified');

    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    room.model.plays('Second', writes('value.txt', 'right \n'), async () => {
      await held;
      return says('Right.');
    });
    room.model.plays('Third', writes('other.txt', 'mine\n'), async () => {
      await held;
      return says('Mine.');
    });
    const [second, third] = [await add('Second'), await add('Third')];
    await stateFits(executor, () => overlapsOf(second));
    assert.deepEqual(
      [overlapsOf(first), overlapsOf(second), overlapsOf(third), executor.state.tasks.get(second)?.status],
      [[{ with: second, files: ['value.txt'] }], [{ with: first, files: ['value.txt'] }], undefined, 'running'],
    );
    goOn();
    await executor.discard(first);
    await stateFits(executor, () => (overlapsOf(second) === undefined ? true : undefined));
  });
});
