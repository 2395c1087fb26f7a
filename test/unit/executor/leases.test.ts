import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { TaskSource } from '../../../src/core/source';
import { Leases } from '../../../src/executor/leases';
import { connectZMemory } from '../../../src/sources/zmemory/zmemorySource';
import { queued } from '../core/sampleEvents';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { QueueRoom } from '../../fakes/queueRoom';
import { TakingBackend } from '../../fakes/takingBackend';

const minuteMs = 60_000;

describe('a backend over HTTP', () => {
  let clock: FakeClock;
  let backend: TakingBackend;
  let room: QueueRoom;

  beforeEach(async () => {
    clock = new FakeClock();
    backend = await TakingBackend.start('a');
  });
  afterEach(async () => {
    await room.executor.shutdown();
    await backend.close();
  });

  /** Lets real HTTP happen while the clock stands still. */
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await clock.advance(0);
  }

  function source(): TaskSource {
    const { url } = backend;
    const resolveRepository = (): string => '/home/dev/project';
    return connectZMemory({
      id: 'z',
      url,
      token: null,
      agent: 'airlock',
      resolveRepository,
      clock,
      logger: silentLogger,
    });
  }

  /** An executor over the storage of the one before, if there was one. */
  async function open(before?: QueueRoom): Promise<void> {
    room = new QueueRoom({ clock, sources: [source()], ...(before ? { log: before.log, blobs: before.blobs } : {}) });
    await room.start();
  }

  const status = (): string | undefined => room.log.state.tasks.get('a')?.status;
  const isTold = (): boolean => room.log.state.reports.size === 0;
  const at = (): string => `${backend.tasks.get('a')?.status} ${backend.tasks.get('a')?.agent}`;
  const alive = 'PATCH /tasks/a/status';

  it('is told every minute that a task is alive', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    const before = backend.asked(alive);
    for (let minute = 1; minute <= 3; minute += 1) {
      await clock.advance(minuteMs);
      await until(() => backend.asked(alive) === before + minute);
    }
    assert.equal(at(), 'in_progress airlock');
  });

  it('has its task taken on by the executor after the one that held it', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    await room.executor.shutdown();
    assert.equal(status(), 'running');
    const before = backend.asked(alive);
    await open(room);
    await until(() => room.inWork.length === 1 && backend.asked(alive) > before);
    const taskId = [...room.log.state.tasks.keys()][0] ?? '';
    await room.fail(taskId);
    await until(isTold);
    assert.deepEqual(backend.changes, ['accept a', 'fail a']);
  });

  it('that gives a task to somebody else in the middle of it is told nothing more, and the work ends', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    Object.assign(backend.tasks.get('a') ?? {}, { agent: 'other' });
    await clock.advance(minuteMs);
    await until(() => status() === 'cancelled');
    assert.deepEqual(
      [room.log.state.tasks.get('a')?.reason, room.inWork, isTold(), backend.changes],
      ['Its source took it back and gave it to somebody else.', [], true, ['accept a']],
    );
  });

  it('that gave a task to somebody else while nobody was here is told nothing at the next start', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    await room.executor.shutdown();
    Object.assign(backend.tasks.get('a') ?? {}, { agent: 'other' });
    await open(room);
    await until(() => status() === 'cancelled');
    assert.deepEqual([isTold(), backend.changes], [true, ['accept a']]);
  });

  it('that has a task as over ends the work on it', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    Object.assign(backend.tasks.get('a') ?? {}, { status: 'failed' });
    await clock.advance(minuteMs);
    await until(() => status() === 'cancelled');
    assert.equal(backend.changes.length, 1);
  });

  it('is not asked for a task that it was told as over and that the user lets go on', async () => {
    const log = new MemoryLog(clock);
    const origin = { sourceId: 's', externalId: 'x' };
    const asked: string[] = [];
    const hold = async (id: string) => (asked.push(id), { kind: 'lost', reason: 'It is completed there.' } as const);
    const sources = [Object.assign(source(), { id: 's', hold })];
    const leases = new Leases({ events: log, sources, clock, logger: silentLogger }, async () => assert.fail('ended'));
    await log.append([
      queued('a', { origin }),
      { kind: 'task.accepted', taskId: 'a' },
      { kind: 'task.ended', taskId: 'a', outcome: 'failed', reason: '', runId: null },
      { kind: 'task.requeued', taskId: 'a', reason: '', notBeforeMs: 0 },
    ]);
    leases.start();
    leases.dispose();
    await leases.drain();
    assert.deepEqual([asked, log.state.tasks.get('a')?.status], [[], 'queued']);
  });

  it('is not told of work that went on here while this process stood still for longer than a lease', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    // As after SIGSTOP or sleep: the wall clock is ahead, and no timer has fired.
    clock.jump(10 * minuteMs);
    Object.assign(backend.tasks.get('a') ?? {}, { agent: 'other' });
    await room.fail('a');
    await until(() => room.log.kinds.includes('report.dead'));
    const [report] = room.log.state.reports.values();
    assert.deepEqual(
      [report?.status, report?.error, backend.changes],
      ['dead', 'ZMemory is not told of task a: The server has given it to “other”.', ['accept a']],
    );
  });

  it('that accepts and then times out has given the task to us, once', async () => {
    backend.lose = (line) => line === 'POST /tasks/a/accept' && backend.asked(line) === 1;
    await open();
    await until(() => backend.asked('POST /tasks/a/accept') === 1);
    await clock.advance(30_000);
    await until(() => room.log.kinds.includes('source.changed') && status() === 'accepting');
    await clock.advance(15_000);
    await until(() => room.inWork.length === 1);
    assert.deepEqual([backend.tasks.get('a')?.agent, backend.changes], ['airlock', ['accept a']]);
  });

  it('that loses the answer to a report is asked before it is told again, and told once', async () => {
    backend.lose = (line) => line === 'POST /tasks/a/fail';
    await open();
    await until(() => room.inWork.length === 1);
    await room.fail('a');
    await until(() => backend.asked('POST /tasks/a/fail') === 1);
    await clock.advance(30_000);
    await until(() => room.log.kinds.includes('report.postponed'));
    await clock.advance(5 * minuteMs);
    await until(isTold);
    assert.deepEqual([backend.changes, backend.asked('POST /tasks/a/fail')], [['accept a', 'fail a'], 1]);
  });

  it('that forgot a report is told again', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    backend.lose = (line) => line === 'POST /tasks/a/fail' && backend.asked(line) === 1;
    await room.fail('a');
    await until(() => backend.asked('POST /tasks/a/fail') === 1);
    Object.assign(backend.tasks.get('a') ?? {}, { status: 'in_progress' });
    await clock.advance(30_000);
    await until(() => room.log.kinds.includes('report.postponed'));
    await clock.advance(5 * minuteMs);
    await until(isTold);
    assert.deepEqual(backend.changes, ['accept a', 'fail a', 'fail a']);
  });

  it('that comes back with another state keeps it, and the report stays where it can be seen', async () => {
    await open();
    await until(() => room.inWork.length === 1);
    Object.assign(backend.tasks.get('a') ?? {}, { status: 'completed' });
    await room.fail('a');
    await until(() => room.log.kinds.includes('report.dead'));
    assert.deepEqual(
      [at(), [...room.log.state.reports.values()].map((report) => report.status)],
      ['completed airlock', ['dead']],
    );
  });
});
