import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { says } from '../fakes/messagesApiTurns';
import type { Executor } from '../../src/core/executor';
import { runs } from '../fakes/wholeModel';
import { runOf, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

/** Where a run's file is on the host. */
function workspaceFile(room: WholeRoom, executor: Executor, taskId: string, name: string): string {
  const run = path.join(room.storage, 'runs', runOf(executor, taskId).id);
  const found = readdirSync(run, { recursive: true, encoding: 'utf8' }).find((file) => path.basename(file) === name);
  assert.ok(found, `${name} is in the run’s folder`);
  return path.join(run, found);
}

describe('the disk of the storage', () => {
  let room: WholeRoom;
  beforeEach(async function () {
    room = await WholeRoom.make();
    mkdirSync(room.storage, { mode: 0o700 });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,mode=0700', 'tmpfs', room.storage]).status === 0) {
      room.ends.push(() => Promise.resolve(void execFileSync('umount', ['--lazy', room.storage])));
      return;
    }
    process.stdout.write('    SKIPPED: a small tmpfs cannot be mounted here (this needs root)\n');
    await room.close();
    this.skip();
  });
  afterEach(() => room.close());

  it('is said to be read-only where nothing can be written, and nothing is begun', async () => {
    execFileSync('mount', ['-o', 'remount,ro', room.storage]);
    await assert.rejects(room.open({ sources: [] }), { code: 'storage-unwritable', message: /cannot be written to/ });
  });

  it('holds the queue when it is full, and says why: what the user ends is kept, and the run that filled it goes on when there is room', async () => {
    room.model.plays('Fill', runs('cat /dev/zero > fill.bin; true'), says('Done.'));
    room.model.plays('Other', says('Looked.'));
    const executor = await room.open({ settings: { concurrency: 1 }, sources: [] });
    const fill = await executor.add({ title: 'Fill', prompt: 'Fill it.', repo: room.repo, checks: [] });
    const other = await executor.add({ title: 'Other', prompt: 'Look.', repo: room.repo, checks: [] });
    const reason = await stateFits(executor, ({ holds, tasks, sessions }) =>
      tasks.get(fill)?.status === 'queued' && sessions.size === 0 ? holds.get('disk') : undefined,
    );
    assert.match(reason, /^The disk that holds .* is full \(.*\)\. Nothing is lost/);
    const asked = room.model.api.requests.length;
    assert.equal(asked, 1);
    await assert.rejects(executor.add({ title: 'More', prompt: 'More.', repo: room.repo }), { code: 'disk-full' });

    await executor.cancel(other);
    await executor.shutdown();
    const again = await room.open({ settings: { concurrency: 1 }, sources: [] });
    assert.equal(again.state.tasks.get(other)?.status, 'cancelled');
    assert.match(await stateFits(again, ({ holds }) => holds.get('disk')), /is full/);
    assert.equal(again.state.tasks.get(fill)?.status, 'queued');

    rmSync(workspaceFile(room, again, fill, 'fill.bin'));
    await again.refreshSources();
    assert.equal((await taskEnded(again, fill)).status, 'unchecked');
    assert.deepEqual([...again.state.holds], []);
    assert.equal(room.model.api.requests.length, asked + 1, 'the answer that was received is not asked for again');
  });
});
