import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { AirlockEvent } from '../../src/core/events';
import { readEvents } from '../crash/crashJournal';
import type { WholeCommand } from '../fakes/wholeCommand';
import { honestWork } from '../fakes/wholeModel';
import {
  processesThatName,
  resultFile,
  runOf,
  sampleCheck,
  stateFits,
  taskReported,
  WholeRoom,
} from '../fakes/wholeRoom';

describe('a session that is prepared ahead for the next task', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  const workspaces = (): string[] => {
    const runs = path.join(room.storage, 'runs');
    return readdirSync(runs).filter((run) => existsSync(path.join(runs, run, 'workspace')));
  };

  it('is taken by the second task of a repository, whose verdict is its own, and is nobody’s work until then', async () => {
    const seen: AirlockEvent[] = [];
    const executor = await room.open({ settings: { concurrency: 1, warmSessions: 1 } });
    executor.onDidAppend((events) => seen.push(...events));
    const ready = (): Promise<string> =>
      stateFits(executor, ({ warm }) => [...warm.values()].find(({ sessionId }) => sessionId !== null)?.runId);

    room.model.plays('first', ...honestWork);
    await room.queues({ id: 'first', description: 'first', context: { checks: [sampleCheck] } });
    assert.equal((await taskReported(executor, 'first')).status, 'verified');
    const waiting = await ready();
    assert.deepEqual(
      (await executor.workspaces()).flatMap(({ runId, taskId, state }) =>
        runId === waiting ? [{ taskId, state }] : [],
      ),
      [{ taskId: null, state: 'warm' }],
    );
    const [cleaned] = (await executor.cleanWorkspaces({ olderThanMs: 0, dryRun: false, force: null })).filter(
      ({ runId }) => runId === waiting,
    );
    assert.deepEqual(
      { removed: cleaned?.removed, reason: cleaned?.reason },
      { removed: false, reason: 'it is ready for the next task, and goes by itself' },
    );
    assert.equal(executor.state.sessions.size, 0);

    room.model.plays('second', ...honestWork);
    await room.queues({ id: 'second', description: 'second', context: { checks: [sampleCheck] } });
    assert.equal((await taskReported(executor, 'second')).status, 'verified');
    assert.equal(runOf(executor, 'second').id, waiting);
    assert.equal(resultFile(room, runOf(executor, 'second').branch ?? '', 'value.txt'), 'right');
    const created = seen.flatMap((event) => (event.kind === 'session.created' ? [event] : []));
    assert.deepEqual(
      created.map(({ runId, warm }) => [runId, warm ?? false]),
      [
        [runOf(executor, 'first').id, false],
        [waiting, true],
      ],
    );
    const closed = seen.flatMap((event) => (event.kind === 'session.closed' ? [event.sessionId] : []));
    assert.deepEqual(
      closed,
      created.map(({ sessionId }) => sessionId),
    );

    await ready();
    await executor.shutdown();
    assert.deepEqual(workspaces(), []);
  });

  it('is found and deleted by the next process when the one that prepared it was killed', async function () {
    this.timeout(180_000);
    const work = (...more: string[]): WholeCommand => room.work('--json', ...more);
    room.model.plays('first', ...honestWork);
    await room.queues({ id: 'first', description: 'first', context: { checks: [sampleCheck] } });
    const killed = work();
    await killed.printed((text) => text.includes('"session.warmed"') && text.includes('"report.acknowledged"'));
    killed.kill('SIGKILL');
    await killed.exited;
    assert.ok(workspaces().length > 0);

    const { code } = await work('--until-idle').exited;
    assert.equal(code, 0);
    const events = await readEvents(room.storage);
    assert.deepEqual(
      events.flatMap((event) => (event.kind === 'session.discarded' ? [event.reason] : [])),
      ['Airlock ended before it was used.'],
    );
    assert.deepEqual(workspaces(), []);
    assert.deepEqual(await processesThatName(path.join(room.storage, 'runs')), []);
  });
});
