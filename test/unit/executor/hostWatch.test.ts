import assert from 'node:assert/strict';
import { QueueRoom } from '../../fakes/queueRoom';

describe('a busy machine', () => {
  let room: QueueRoom;

  async function open(settings: ConstructorParameters<typeof QueueRoom>[0] = {}): Promise<void> {
    room = new QueueRoom(settings);
  }

  afterEach(() => room.executor.shutdown());

  const held = (): string | undefined => room.log.state.holds.get('host');
  const holds = (): (string | null)[] =>
    room.log.events.flatMap((event) => (event.kind === 'queue.held' && event.cause === 'host' ? event.reason : []));

  it('lets no new run start, says why, and lets them start when there is less to do', async () => {
    await open();
    room.host = { cpu: 0.93, memory: 0.4 };
    await room.start();
    await room.add('one');
    assert.deepEqual(
      [room.inWork, held()],
      [
        [],
        'The machine is busy: processors 93 % in use (the limit is 85 %). No new run starts until there is less; what runs goes on, and Run Now starts a task all the same.',
      ],
    );
    room.host = { cpu: 0.1, memory: 0.4 };
    await room.clock.advance(10_000);
    assert.deepEqual([room.inWork, held()], [['one'], undefined]);
  });

  it('stops nothing that runs, and starts what the user starts', async () => {
    await open();
    await room.start();
    await room.add('runs');
    room.host = { cpu: 0.2, memory: 0.9 };
    await room.clock.advance(5_000);
    const wanted = await room.add('wanted');
    assert.deepEqual([room.inWork, held()?.includes('memory 90 % in use')], [['runs'], true]);
    await room.executor.runNow(wanted);
    await room.clock.advance(0);
    assert.deepEqual(room.inWork, ['runs', 'wanted']);
  });

  it('is one whose processors are busy for a while, and not for a moment', async () => {
    await open();
    room.host = { cpu: 0.2, memory: 0.2 };
    await room.start();
    await room.executor.pauseQueue();
    await room.add('waits');
    for (const cpu of [1, 0.2, 1, 0.2, 1, 0.2, 1, 0.2]) {
      room.host = { cpu, memory: 0.2 };
      await room.clock.advance(5_000);
    }
    assert.deepEqual(holds(), []);
    room.host = { cpu: 1, memory: 0.2 };
    await room.clock.advance(30_000);
    assert.deepEqual(holds().length, 1);
  });

  it('is busy until it is clearly below the limit, so that the queue does not go back and forth', async () => {
    await open();
    await room.start();
    await room.executor.pauseQueue();
    await room.add('waits');
    for (const memory of [0.86, 0.84, 0.86, 0.81, 0.85, 0.79, 0.84, 0.79]) {
      room.host = { cpu: 0, memory };
      await room.clock.advance(5_000);
    }
    assert.deepEqual(
      holds().map((reason) => reason !== null),
      [true, false],
    );
  });

  it('is said, or no longer said, once that can be kept', async () => {
    await open();
    await room.start();
    await room.executor.pauseQueue();
    await room.add('waits');
    room.log.dead = new Error('no disk');
    room.host = { cpu: 0, memory: 0.9 };
    await room.clock.advance(20_000);
    room.log.dead = undefined;
    await room.clock.advance(5_000);
    assert.deepEqual([holds().length, held()?.includes('memory 90 % in use')], [1, true]);
    room.log.dead = new Error('no disk');
    room.host = { cpu: 0, memory: 0.1 };
    await room.clock.advance(20_000);
    room.log.dead = undefined;
    await room.clock.advance(5_000);
    assert.deepEqual([holds().length, held()], [2, undefined]);
  });

  it('is not looked at while nothing waits to start, and at once when something does', async () => {
    await open();
    await room.start();
    await room.clock.advance(10_000);
    const looks = room.hostLooks;
    await room.clock.advance(600_000);
    assert.equal(room.hostLooks, looks);
    room.host = { cpu: 0.93, memory: 0.4 };
    await room.add('one');
    assert.deepEqual([room.inWork, held() !== undefined], [[], true]);
  });

  it('is nothing to wait for when the limits are 0', async () => {
    await open({ settings: { maxHostCpuPercent: 0, maxHostMemoryPercent: 0 } });
    room.host = { cpu: 1, memory: 1 };
    await room.start();
    await room.add('one');
    await room.clock.advance(60_000);
    assert.deepEqual([room.inWork, holds()], [['one'], []]);
  });

  it('is not waited for where nobody can tell', async () => {
    await open();
    await room.start();
    await room.add('one');
    await room.clock.advance(60_000);
    assert.deepEqual([room.inWork, holds()], [['one'], []]);
  });
});
