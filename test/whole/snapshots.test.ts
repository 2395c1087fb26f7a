import assert from 'node:assert/strict';
import type { AirlockEvent } from '../../src/core/events';
import type { Executor } from '../../src/core/executor';
import { runs, writes } from '../fakes/wholeModel';
import { says } from '../fakes/messagesApiTurns';
import { runOf, sampleCheck, taskEnded, WholeRoom } from '../fakes/wholeRoom';

type Taken = Extract<AirlockEvent, { kind: 'snapshot.taken' }>;

function taken(executor: Executor): Taken[] {
  const found: Taken[] = [];
  executor.onDidAppend((events) => found.push(...events.filter((event) => event.kind === 'snapshot.taken')));
  return found;
}

describe('the files of a run', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('are kept after each turn that changed them, and before each verdict', async () => {
    room.model.plays(
      'Turns',
      writes('value.txt', 'half\n'),
      runs('cat value.txt'),
      runs('echo 1 > new; echo 2 > other'),
      says('Done.'),
      writes('value.txt', 'right\n'),
      says('Done now.'),
    );
    const executor = await room.open();
    const snapshots = taken(executor);
    const id = await executor.add({ title: 'Turns', prompt: 'Turns.', checks: [sampleCheck] });
    assert.equal((await taskEnded(executor, id)).status, 'verified');
    assert.deepEqual(
      snapshots.map(({ index, cause, filesChanged }) => [index, cause, filesChanged]),
      [
        [1, 'turn', 1],
        [2, 'turn', 2],
        [3, 'turn', 1],
      ],
    );
    assert.deepEqual(
      runOf(executor, id).snapshots.map(({ index, verdict }) => [index, verdict]),
      [
        [1, null],
        [2, 'contradicted'],
        [3, 'verified'],
      ],
    );
  });

  it('are kept as often as the settings say: the oldest make room, and one that is too large is said and harms nothing', async () => {
    const turns = Array.from({ length: 9 }, (_, turn) => writes('value.txt', `${turn}\n`));
    room.model.plays(
      'Many',
      ...turns,
      runs('head -c 300000 /dev/urandom > big'),
      writes('value.txt', 'right\n'),
      says('Done.'),
    );
    const executor = await room.open({ settings: { maxSnapshots: 3, maxSnapshotBytes: 250_000 } });
    const id = await executor.add({ title: 'Many', prompt: 'Many.', checks: [sampleCheck] });
    assert.equal((await taskEnded(executor, id)).status, 'verified');
    const run = runOf(executor, id);
    assert.deepEqual(
      run.snapshots.map(({ index, cause }) => [index, cause]),
      [
        [9, 'turn'],
        [10, 'verdict'],
      ],
    );
    let shown = '';
    const watched = await executor.watchSession(run.sessionId ?? '', (text) => (shown += text));
    watched.dispose();
    assert.equal(shown.split('could not be kept after this turn').length, 2);
  });
});
