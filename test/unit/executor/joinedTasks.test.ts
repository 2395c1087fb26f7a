import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import { SourceUnreachableError, type OfferedTask } from '../../../src/core/source';
import { OwnWrites } from '../../../src/sources/ownWrites';
import { parseRowChoice } from '../../../src/sources/taskFile/rowChoice';
import { createTaskFileSource } from '../../../src/sources/taskFile/taskFileSource';
import { startEmbeddedServer } from '../../../src/sources/zmemory/embeddedServer';
import { connectZMemory } from '../../../src/sources/zmemory/zmemorySource';
import { settle } from '../../fakes/clock';
import { HeardSource, keyed } from '../../fakes/heardSource';
import { QueueRoom } from '../../fakes/queueRoom';
import { stateFits } from '../../fakes/wholeRoom';
import { useTempFolder } from '../sources/tempFolder';

describe('a task that two sources deliver', () => {
  let near: HeardSource;
  let far: HeardSource;
  let room: QueueRoom;

  beforeEach(async () => {
    near = new HeardSource('near');
    far = new HeardSource('far');
    room = new QueueRoom({ sources: [near, far] });
    await room.start();
  });
  afterEach(() => room.executor.shutdown());

  const statuses = (): string[] => [...room.log.state.tasks.values()].map(({ id, status }) => `${id} ${status}`);

  it('is one task: both give it to us, and both are told its outcome', async () => {
    await near.offers(keyed('a', 'fix-cart'));
    await far.offers(keyed('z', 'fix-cart'));
    assert.deepEqual([statuses(), room.inWork], [['a running'], ['a']]);
    await room.fail('a');
    assert.deepEqual(
      [near.heard, far.heard, room.log.state.reports.size],
      [['accept a', 'fail a failed'], ['accept z', 'fail z failed'], 0],
    );
  });

  it('stays one after a restart, and however often it is offered', async () => {
    await near.offers(keyed('a', 'fix-cart'));
    await far.offers(keyed('z', 'fix-cart'));
    await far.offers(keyed('z', 'fix-cart'));
    await room.executor.shutdown();
    const { log, blobs, clock } = room;
    room = new QueueRoom({ log, blobs, clock, sources: [near, far] });
    await room.start();
    await far.offers(keyed('z', 'fix-cart'));
    await near.offers(keyed('a', 'fix-cart'));
    assert.deepEqual(statuses(), ['a running']);
    assert.deepEqual(far.heard, ['accept z']);
  });

  it('is told to one that comes after its end, and is not done again', async () => {
    await near.offers(keyed('a', 'fix-cart'));
    await room.fail('a');
    await far.offers(keyed('z', 'fix-cart'));
    assert.deepEqual([statuses(), far.heard], [['a failed'], ['accept z again', 'fail z failed']]);
  });

  it('is not told to one where somebody else has it', async () => {
    await near.offers(keyed('a', 'fix-cart'));
    far.answer = () => ({ kind: 'unavailable', reason: 'taken' });
    await far.offers(keyed('z', 'fix-cart'));
    await room.fail('a');
    assert.deepEqual([far.heard, room.log.state.reports.size], [['accept z'], 0]);
  });

  it('goes on when one of them cannot be asked, which is asked and told later', async () => {
    await near.offers(keyed('a', 'fix-cart'));
    far.answer = () => {
      throw new SourceUnreachableError('down');
    };
    await far.offers(keyed('z', 'fix-cart'));
    assert.deepEqual(room.inWork, ['a']);
    await room.fail('a');
    far.answer = () => ({ kind: 'accepted' });
    await room.clock.advance(600_000);
    assert.deepEqual([far.heard.at(-1), room.log.state.reports.size], ['fail z failed', 0]);
  });

  it('is told later to one that was not set up while it was worked on', async () => {
    await near.offers(keyed('a', 'fix-cart'));
    far.answer = () => {
      throw new SourceUnreachableError('down');
    };
    await far.offers(keyed('z', 'fix-cart'));
    far.answer = () => ({ kind: 'accepted' });
    await room.executor.shutdown();
    const { log, blobs, clock } = room;
    room = new QueueRoom({ log, blobs, clock, sources: [near] });
    await room.start();
    await room.fail('a');
    await room.executor.shutdown();
    room = new QueueRoom({ log, blobs, clock, sources: [near, far] });
    await room.start();
    assert.deepEqual(far.heard, ['accept z', 'accept z again', 'fail z failed']);
  });

  it('goes to the other one when the first does not have it any more', async () => {
    await room.executor.pauseQueue();
    await near.offers(keyed('a', 'fix-cart'), keyed('b', 'other'));
    await far.offers(keyed('y', 'other'), keyed('z', 'fix-cart'));
    await near.offers(keyed('b', 'other'));
    near.answer = () => ({ kind: 'unavailable', reason: 'taken' });
    await room.executor.startQueue();
    await settle();
    assert.deepEqual(statuses(), ['a running', 'b running']);
    assert.deepEqual([near.heard, far.heard], [['accept b'], ['accept z', 'accept y']]);
  });

  it('is one too when both are of one offer of one source', async () => {
    await near.offers(keyed('a', 'fix-cart'), keyed('b', 'fix-cart'));
    await room.fail('a');
    assert.deepEqual(near.heard, ['accept a', 'accept b', 'fail a failed', 'fail b failed']);
  });

  it('is known by its name in its repository to a key, and never to another such name', async () => {
    const row = (externalId: string, localKey: string): OfferedTask => ({
      externalId,
      task: { title: externalId, prompt: 'Do it.', localKey, repo: '/home/dev/project' },
    });
    await near.offers(row('r1', '1'), row('r2', '2'));
    await far.offers(row('q1', '1'), keyed('z', '2'), {
      externalId: 'elsewhere',
      task: { title: 'elsewhere', prompt: 'Do it.', key: '1', repo: '/home/dev/other' },
    });
    assert.deepEqual([...room.log.state.tasks.keys()], ['r1', 'r2', 'q1', 'elsewhere']);
    assert.deepEqual(room.log.state.tasks.get('r2')?.joined, [
      { origin: { sourceId: 'far', externalId: 'z' }, accepted: true },
    ]);
  });
});

describe('a row of a table and a task of a server with the same key', () => {
  const folder = useTempFolder();

  it('are one task, and both are told its outcome', async () => {
    const repo = path.join(folder.path, 'shop');
    const file = path.join(repo, 'docs', 'TASKS.md');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '| ID | Title | Status | Notes |\n|---|---|---|---|\n| T-17 | Mend the cart | Todo | |\n');
    const shared = { clock: systemClock, logger: silentLogger, agent: 'airlock' };
    const server = await startEmbeddedServer({ ...shared, storage: path.join(folder.path, 'server'), port: 0 });
    await server.api.create([{ id: 'cart', description: 'Mend the cart', context: { idempotency_key: 'T-17' } }]);
    const table = createTaskFileSource({
      ...shared,
      repo,
      file: 'docs/TASKS.md',
      mayBeMissing: false,
      rows: parseRowChoice('all'),
      known: () => [],
      ownWrites: new OwnWrites(),
      onDiagnostics: () => {},
    });
    const far = connectZMemory({
      ...shared,
      id: 'zmemory:test',
      url: server.url,
      token: server.token,
      resolveRepository: () => repo,
    });
    const room = new QueueRoom({ sources: [table, far] });
    try {
      await room.start();
      const task = await stateFits(room.executor, ({ tasks }) =>
        [...tasks.values()].find(({ joined, status }) => joined?.[0]?.accepted === true && status === 'running'),
      );
      await stateFits(room.executor, () => room.inWork.length === 1 || undefined);
      await room.fail(task.id);
      await stateFits(room.executor, ({ reports }) => reports.size === 0 || undefined);
      assert.deepEqual(
        [room.log.state.tasks.size, server.api.list().map(({ id, status }) => `${id} ${status}`)],
        [1, ['cart failed']],
      );
      assert.match(
        readFileSync(file, 'utf8'),
        /\| T-17 \| Mend the cart \| Blocked +\| \[Airlock: failed, The test ended it\.\] \|/,
      );
    } finally {
      await room.executor.shutdown();
      await server.close();
    }
  });
});
