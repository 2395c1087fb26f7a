import assert from 'node:assert/strict';
import { SourceUnreachableError } from '../../../src/core/source';
import { FakeClock, settle } from '../../fakes/clock';
import { HeardSource, keyed } from '../../fakes/heardSource';
import { QueueRoom } from '../../fakes/queueRoom';

const hourMs = 3_600_000;

for (const [title, jumpMs] of [
  ['is set back by an hour', -hourMs],
  ['jumps ahead by three days', 72 * hourMs],
] as const) {
  describe(`a clock that ${title}`, () => {
    let clock: FakeClock;
    let source: HeardSource;
    let room: QueueRoom;

    beforeEach(async () => {
      clock = new FakeClock();
      source = new HeardSource('far');
      room = new QueueRoom({ clock, sources: [source], settings: { concurrency: 2 } });
      await room.start();
    });
    afterEach(() => room.executor.shutdown());

    const runs = (): number => room.log.kinds.filter((kind) => kind === 'run.started').length;

    it('starts no run twice, and no more of them at once than there are slots', async () => {
      for (let number = 0; number < 50; number += 1) await room.add(`task ${number}`);
      clock.jump(jumpMs);
      await clock.advance(10 * 60_000);
      assert.deepEqual([room.inWork.length, runs()], [2, 2]);
    });

    it('lets a task that waits for its next try wait no longer than before', async () => {
      await room.executor.pauseQueue();
      const taskId = await room.add('again');
      await room.log.append([
        {
          kind: 'task.requeued',
          taskId,
          reason: 'The server is away.',
          notBeforeMs: clock.nowMs() + 60_000,
          failed: true,
        },
      ]);
      await room.executor.startQueue();
      await settle();
      assert.deepEqual(room.inWork, []);
      clock.jump(jumpMs);
      // Something else happens meanwhile, and everybody is looked at anew.
      await room.add('other');
      await clock.advance(61_000);
      assert.deepEqual([...room.inWork].sort(), ['again', 'other']);
      assert.equal(runs(), 2);
    });

    it('lets a report wait no longer, and tells it once', async () => {
      await source.offers(keyed('a', 'k'));
      source.reportFails = new SourceUnreachableError('away');
      await room.fail('a');
      source.reportFails = undefined;
      clock.jump(jumpMs);
      await clock.advance(11 * 60_000);
      assert.deepEqual(source.heard, ['accept a', 'fail a failed', 'fail a failed']);
      assert.equal(room.log.state.reports.size, 0);
    });

    it('asks a source that could not be asked after the same time as ever', async () => {
      source.answer = () => {
        throw new SourceUnreachableError('away');
      };
      await source.offers(keyed('a', 'k'));
      source.answer = () => ({ kind: 'accepted' });
      clock.jump(jumpMs);
      await clock.advance(10_000);
      assert.deepEqual([room.inWork, source.heard], [['a'], ['accept a', 'accept a again']]);
    });
  });
}
