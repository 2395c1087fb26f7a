import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { Engine } from '../../../src/core/engine';
import { DataRemoval } from '../../../src/executor/dataRemoval';
import { queued, runStarted } from '../core/sampleEvents';
import { FakeClock } from '../../fakes/clock';
import { MemoryBlobs, MemoryLog } from '../../fakes/memoryLog';

describe('removing private data', () => {
  const dayMs = 86_400_000;

  async function make() {
    const clock = new FakeClock();
    const events = new MemoryLog(clock);
    const blobs = new MemoryBlobs();
    const [over, open] = await Promise.all([blobs.put('over'), blobs.put('open')]);
    const session = {
      process: { pid: 1, startTicks: 1, bootId: 'b' },
      proof: { proven: true, canaries: [], durationMs: 1 },
    };
    await events.append([
      ...['over', 'open'].flatMap((id) => [
        queued(id),
        runStarted(`run-${id}`, id),
        { kind: 'session.created' as const, sessionId: `session-${id}`, runId: `run-${id}`, ...session },
        { kind: 'session.closed' as const, sessionId: `session-${id}`, reason: '', breach: null },
      ]),
      { kind: 'message.recorded', runId: 'run-over', index: 0, role: 'user', blob: over },
      { kind: 'message.recorded', runId: 'run-open', index: 0, role: 'user', blob: open },
      { kind: 'task.ended', taskId: 'over', outcome: 'verified', reason: '', runId: 'run-over' },
    ]);
    await clock.advance(dayMs);
    const deleted: string[] = [];
    const archive = { delete: async (id: string) => void deleted.push(id) };
    let forgets = 0;
    const engine = { forget: () => void (forgets += 1) } as unknown as Engine;
    const removal = new DataRemoval({ clock, events, blobs, engine, sources: [], logger: silentLogger }, archive);
    return { forgets: () => forgets, events, blobs, removal, deleted, over, open };
  }

  it('says first that it does, and takes what tasks that are over have left, and nothing of open ones', async () => {
    const { events, blobs, removal, deleted, over, open, forgets } = await make();
    const before = events.events.length;
    const counted = await removal.remove({ olderThanMs: 0, dryRun: true });
    assert.deepEqual([counted, events.events.length], [{ tasks: 1, texts: 1, bytes: 4, recordings: 1 }, before]);
    assert.equal(forgets(), 0);
    assert.deepEqual(await removal.remove({ olderThanMs: 0, dryRun: false }), counted);
    assert.deepEqual(events.kinds.slice(before), ['data.deleted']);
    assert.equal(forgets(), 1, 'engines forget what they keep of conversations that are over');
    assert.deepEqual(
      [await blobs.get(over), (await blobs.get(open))?.length, deleted],
      [undefined, 4, ['session-over']],
    );
  });

  it('leaves what ended too short a while ago', async () => {
    const { blobs, removal, deleted, over } = await make();
    const nothing = { tasks: 0, texts: 0, bytes: 0, recordings: 0 };
    assert.deepEqual(await removal.remove({ olderThanMs: 2 * dayMs, dryRun: false }), nothing);
    assert.deepEqual([(await blobs.get(over))?.length, deleted], [4, []]);
  });
});
