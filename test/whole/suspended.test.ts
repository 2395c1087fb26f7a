import assert from 'node:assert/strict';
import path from 'node:path';
import { says } from '../fakes/messagesApiTurns';
import { runs, writes } from '../fakes/wholeModel';
import { processesThatName, resultFile, sampleCheck, WholeRoom } from '../fakes/wholeRoom';

const stoppedMs = 4_000;

describe('a worker that is suspended in the middle of a run', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  /** The second answer of the model comes when it is let. */
  function plays(name: string): () => void {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    room.model.plays(
      name,
      runs('echo one >> log.txt'),
      async () => {
        await gate;
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    return release;
  }

  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, stoppedMs));

  it('keeps its storage, goes on where it was, and does and tells nothing twice', async () => {
    await room.queues({ id: 'long', description: 'Long', context: { checks: [sampleCheck] } });
    let ends = 0;
    room.backend.api.onDidChangeTask(({ task }) => (ends += task.status === 'completed' ? 1 : 0));
    const release = plays('Long');
    const owner = room.work('--until-idle');
    await room.model.api.requested(2);
    owner.kill('SIGSTOP');
    const follower = room.work();
    release();
    await pause();
    assert.equal(room.model.api.requests.length, 2, 'nobody else has begun anything');
    owner.kill('SIGCONT');
    const { code, stdout, stderr } = await owner.exited;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Long +verified/m);
    follower.kill('SIGINT');
    await follower.exited;
    assert.equal(resultFile(room, 'airlock/long-1', 'log.txt'), 'one');
    assert.deepEqual([ends, room.model.api.requests.length], [1, 3]);
    assert.deepEqual(await processesThatName(path.join(room.storage, 'runs')), []);
  });
});
