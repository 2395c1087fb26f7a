import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type { EventBody } from '../../../src/core/events';
import { SourceUnreachableError, type Report, type TaskSource } from '../../../src/core/source';
import { Outbox } from '../../../src/executor/outbox';
import type { ExecutorPorts } from '../../../src/executor/ports';
import { FakeClock, settle } from '../../fakes/clock';
import { MemoryBlobs, MemoryLog, PaperRoom } from '../../fakes/memoryLog';

/** A source whose answers the test gives, one after another; without one it acknowledges. */
class ScriptedSource implements TaskSource {
  readonly told: { reportId: string; isRepeat: boolean }[] = [];
  readonly answers: Error[] = [];
  constructor(readonly id: string) {}
  start(): void {}
  refresh(): void {}
  async accept(): Promise<{ kind: 'accepted' }> {
    return { kind: 'accepted' };
  }
  async progress(): Promise<void> {}
  async report(report: Report, _body: unknown, { isRepeat }: { isRepeat: boolean }): Promise<void> {
    this.told.push({ reportId: report.reportId, isRepeat });
    const answer = this.answers.shift();
    if (answer) throw answer;
  }
  dispose(): void {}
}

const body = {
  outcome: 'verified',
  response: '',
  error: '',
  model: null,
  inputTokens: 0,
  outputTokens: 0,
  executionSeconds: 0,
  branch: null,
  commit: null,
  endedAtMs: 0,
};

describe('the outbox', () => {
  const clock = new FakeClock();
  let log: MemoryLog;
  let blobs: MemoryBlobs;
  let sources: ScriptedSource[];
  let outbox: Outbox;
  let room: PaperRoom;
  let errors: string[];

  beforeEach(() => {
    log = new MemoryLog(clock);
    blobs = new MemoryBlobs();
    room = new PaperRoom();
    errors = [];
    sources = [new ScriptedSource('near'), new ScriptedSource('far')];
    outbox = start();
  });

  afterEach(async () => {
    outbox.dispose();
    await outbox.drain();
    assert.equal(clock.pendingTimers, 0);
  });

  function start(): Outbox {
    const logger = { ...silentLogger, error: (line: string) => void errors.push(line) };
    const ports: Partial<ExecutorPorts> = { events: log, blobs, sources, clock, room, logger };
    const started = new Outbox(ports as ExecutorPorts);
    started.start();
    return started;
  }

  async function queued(reportId: string, sourceId = 'near'): Promise<EventBody> {
    const report = { reportId, taskId: 'task', sourceId, externalId: 'x', kind: 'complete' as const };
    return { kind: 'report.queued', report: { ...report, body: await blobs.put(JSON.stringify(body)) } };
  }

  it('writes down what it is about to say before it says it, and is empty once it is acknowledged', async () => {
    await log.append([await queued('a/1')]);
    await settle();
    assert.deepEqual(log.kinds, ['report.queued', 'report.sending', 'report.acknowledged']);
    assert.deepEqual(sources[0]?.told, [{ reportId: 'a/1', isRepeat: false }]);
    assert.equal(outbox.isEmpty, true);
  });

  it('keeps the order of a source that is down, and tells it everything when it is back', async () => {
    sources[0]?.answers.push(new SourceUnreachableError('down'), new SourceUnreachableError('down'));
    await log.append([await queued('a/1'), await queued('b/1')]);
    await settle();
    await clock.advance(60_000);
    assert.deepEqual(sources[0]?.told, [
      { reportId: 'a/1', isRepeat: false },
      { reportId: 'a/1', isRepeat: true },
      { reportId: 'a/1', isRepeat: true },
      { reportId: 'b/1', isRepeat: false },
    ]);
    assert.equal(outbox.isEmpty, true);
  });

  it('lets nobody wait for somebody else’s source', async () => {
    sources[0]?.answers.push(new SourceUnreachableError('down', 60_000));
    await log.append([await queued('a/1'), await queued('b/1', 'far')]);
    await settle();
    assert.deepEqual(sources[1]?.told, [{ reportId: 'b/1', isRepeat: false }]);
    assert.equal(outbox.isEmpty, false);
  });

  it('keeps what a source will never take where it can be seen, and goes on with the next', async () => {
    sources[0]?.answers.push(new UserError('source-refused', 'no such task'));
    await log.append([await queued('a/1'), await queued('b/1')]);
    await settle();
    assert.deepEqual(log.kinds.slice(2), ['report.sending', 'report.dead', 'report.sending', 'report.acknowledged']);
    assert.equal(log.state.reports.get('a/1')?.error, 'no such task');
    assert.equal(outbox.isEmpty, true);
  });

  it('says after a crash that it may have been said before', async () => {
    outbox.dispose();
    await log.append([await queued('a/1'), { kind: 'report.sending', taskId: 'a', reportId: 'a/1', attempt: 1 }]);
    outbox = start();
    await settle();
    assert.deepEqual(sources[0]?.told, [{ reportId: 'a/1', isRepeat: true }]);
  });

  it('loses nothing when the journal cannot be written', async () => {
    await log.append([await queued('a/1', 'nobody')]);
    await log.append([await queued('b/1')]);
    await settle();
    log.failNext = new UserError('disk-full', 'full');
    const next = await queued('c/1');
    await assert.rejects(log.append([next]), { code: 'disk-full' });
    await log.append([next]);
    await settle();
    await clock.advance(10_000);
    assert.deepEqual(
      sources[0]?.told.map(({ reportId }) => reportId),
      ['b/1', 'c/1'],
    );
  });

  it('says nothing while it could not be kept that it did, and then repeats only what may have arrived', async () => {
    const unwritable = new UserError('storage-unwritable', 'The storage cannot be written to.');
    const next = await queued('b/1');
    // The first is told, and that it was cannot be kept any more.
    const following = log.onDidAppend(([event]) => {
      if (event?.kind === 'report.sending') log.dead = unwritable;
    });
    await log.append([await queued('a/1')]);
    await settle();
    following.dispose();
    room.become(unwritable);
    await clock.advance(60_000);
    assert.deepEqual(
      [sources[0]?.told, errors],
      [[{ reportId: 'a/1', isRepeat: false }], ['A report could not be sent']],
    );

    log.dead = undefined;
    room.become(undefined);
    outbox.retryNow();
    await settle();
    await log.append([next]);
    await settle();
    assert.deepEqual(sources[0]?.told.slice(1), [
      { reportId: 'a/1', isRepeat: true },
      { reportId: 'b/1', isRepeat: false },
    ]);
  });
});
