import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { verifyJournal } from '../../src/assemble';
import type { Executor } from '../../src/core/executor';
import { mountExt4, moveToExt4 } from '../fakes/ext4Image';
import { says } from '../fakes/messagesApiTurns';
import { runs } from '../fakes/wholeModel';
import { resultFile, runOf, sampleCheck, sampleFiles, taskReported, WholeRoom } from '../fakes/wholeRoom';

describe('a machine that stops in the midst of the work', () => {
  let room: WholeRoom;
  beforeEach(async function () {
    room = await WholeRoom.make({
      ...sampleFiles,
      'kept.txt': 'kept\n',
      '.airlock/config.yaml': `checks: ["grep -qx kept kept.txt", "${sampleCheck}"]\n`,
    });
    mkdirSync(room.storage, { mode: 0o700 });
    if (moveToExt4(room.storage, path.join(room.top, 'image'))) {
      room.ends.push(() => Promise.resolve(void execFileSync('umount', ['--lazy', room.storage])));
      return;
    }
    await room.close();
    this.skip();
  });
  afterEach(() => room.close());

  const inRun = (runId: string, name: string): string => path.join(room.storage, 'runs', runId, name);

  /** Begins a task whose second answer comes only when `answers` is called. @returns its run. */
  async function workUnderWay(executor: Executor): Promise<{ runId: string; answers: () => void }> {
    let answers = (): void => {};
    const answered = new Promise<void>((resolve) => (answers = resolve));
    let isAsked = (): void => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    // What the agent wrote last may be lost: then the check tells it.
    const right = runs('echo right > value.txt');
    const waits = async () => {
      isAsked();
      await answered;
      return says('Done.');
    };
    room.model.plays('Work', right, waits, right, says('Done again.'));
    await room.queues({ id: 'work', description: 'Work\n\nDo it.' });
    await asked;
    return { runId: runOf(executor, 'work').id, answers };
  }

  /** What the storage is when the machine runs again: what had reached the device, and nothing else. */
  async function cutPower(executor: Executor): Promise<void> {
    const image = path.join(room.top, 'image');
    const left = path.join(room.top, 'left');
    copyFileSync(image, left);
    await executor.shutdown();
    execFileSync('umount', ['--lazy', room.storage]);
    assert.ok(mountExt4(room.storage, left));
  }

  async function endsOnce(executor: Executor): Promise<void> {
    const ends: string[] = [];
    room.backend.api.onDidChangeTask(({ task }) => ends.push(task.status));
    const { status } = await taskReported(executor, 'work');
    assert.equal(status, 'verified');
    const { branch } = runOf(executor, 'work');
    assert.equal(resultFile(room, branch ?? '', 'value.txt'), 'right');
    assert.equal(resultFile(room, branch ?? '', 'kept.txt'), 'kept');
    assert.equal(ends.filter((each) => each === 'completed').length, 1);
    await executor.shutdown();
    const { state } = await verifyJournal(room.storage);
    assert.equal(state, 'whole');
  }

  it('goes on when its power is back: what was not on the disk is laid out again', async () => {
    const first = await room.open();
    const { runId, answers } = await workUnderWay(first);
    await cutPower(first);
    assert.equal(statSync(inRun(runId, 'workspace/kept.txt')).size, 0, 'it had not reached the disk');
    const stateFile = inRun(runId, 'workspace.json');
    writeFileSync(stateFile, JSON.stringify({ ...JSON.parse(readFileSync(stateFile, 'utf8')), boot: 'another' }));
    answers();
    const second = await room.open();
    await endsOnce(second);
    assert.equal(runOf(second, 'work').id, runId, 'it is the same run');
  });

  it('begins anew where a file system that failed has lost what it cannot go on without', async () => {
    const first = await room.open();
    const { runId, answers } = await workUnderWay(first);
    await first.shutdown();
    rmSync(inRun(runId, 'host.git/objects/pack'), { recursive: true });
    answers();
    const second = await room.open();
    await endsOnce(second);
    assert.notEqual(runOf(second, 'work').id, runId, 'it is another run');
  });
});
