import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openExecutor, verifyJournal } from '../../src/assemble';
import { type Logger, silentLogger } from '../../src/base/logger';
import type { Executor } from '../../src/core/executor';
import { mountExt4, moveToExt4 } from '../fakes/ext4Image';
import { says } from '../fakes/messagesApiTurns';
import { runs } from '../fakes/wholeModel';
import { sampleCheck, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

const cannotWrite =
  /^Nothing can be written to the storage folder \S+ \((EPERM|EROFS|EIO): .*\)\. What was kept is safe/;
const onlyTheLostOne = 'only the answer that could not be kept is asked for again';
/** Longer than the time between two looks at the storage. */
const severalLooksMs = 11_000;

/** What is logged from warnings on. */
function listening(lines: string[]): Logger {
  return { ...silentLogger, warn: (line) => lines.push(line), error: (line) => lines.push(line) };
}

/** A task whose second answer is on its way until `answers` is called. */
async function workUnderWay(room: WholeRoom, executor: Executor): Promise<{ work: string; answers: () => void }> {
  let answers = (): void => {};
  const answered = new Promise<void>((resolve) => (answers = resolve));
  let isAsked = (): void => {};
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  room.model.plays('Work', runs('echo right > value.txt'), async () => {
    isAsked();
    await answered;
    return says('Done.');
  });
  const work = await executor.add({ title: 'Work', prompt: 'Do it.', repo: room.repo, checks: [sampleCheck] });
  await asked;
  return { work, answers };
}

/** Every command that has to keep something says the same. */
async function refusesCommands(room: WholeRoom, executor: Executor, work: string): Promise<void> {
  const more = { title: 'More', prompt: 'More.', repo: room.repo };
  const commands = [
    () => executor.add(more),
    () => executor.cancel(work),
    () => executor.pauseQueue(),
    () => executor.pauseTask(work),
  ];
  for (const command of commands) await assert.rejects(command(), { code: 'storage-unwritable', message: cannotWrite });
}

async function assertJournalIsWhole(room: WholeRoom): Promise<void> {
  const { state, snapshots } = await verifyJournal(room.storage);
  assert.deepEqual([state, snapshots.filter((snapshot) => snapshot.state !== 'fits')], ['whole', []]);
}

const imageOf = (room: WholeRoom): string => path.join(room.top, 'image');

/** Gives the storage a file system of its own, or skips the test. */
async function mountStorage(room: WholeRoom, context: Mocha.Context): Promise<void> {
  mkdirSync(room.storage, { mode: 0o700 });
  if (moveToExt4(room.storage, imageOf(room))) {
    room.ends.push(() => Promise.resolve(void execFileSync('umount', ['--lazy', room.storage])));
    return;
  }
  await room.close();
  context.skip();
}

describe('a storage that takes no writes any more in the midst of the work', () => {
  let room: WholeRoom;
  beforeEach(async function () {
    room = await WholeRoom.make();
    await mountStorage(room, this);
  });
  afterEach(() => room.close());

  const setFrozen = (sign: '+' | '-'): boolean => {
    const parts = ['journal', 'blobs', 'snapshots'].map((name) => path.join(room.storage, name));
    const isDone = spawnSync('chattr', ['-R', `${sign}i`, ...parts]).status === 0;
    return spawnSync('chattr', [`${sign}i`, room.storage]).status === 0 && isDone;
  };

  /** Makes every file of the storage immutable, those that are open too. */
  function freeze(context: Mocha.Context): void {
    room.ends.push(() => Promise.resolve(void setFrozen('-')));
    if (setFrozen('+')) return;
    process.stdout.write('    SKIPPED: files cannot be made immutable here (this needs root and chattr +i)\n');
    setFrozen('-');
    context.skip();
  }

  it('holds the queue, says so in every window, refuses what it cannot keep, and goes on by itself when it takes them again', async function () {
    const lines: string[] = [];
    const notices: string[] = [];
    const executor = await room.open({
      settings: { concurrency: 1 },
      sources: [],
      logger: listening(lines),
      onNotice: (message) => notices.push(message),
    });
    const window = await openExecutor(room.options({ sources: [] }), 'look');
    room.executors.unshift(window);
    const { work, answers } = await workUnderWay(room, executor);
    const asked = room.model.api.requests.length;
    freeze(this);

    await refusesCommands(room, executor, work);
    answers();
    await refusesCommands(room, window, work);
    for (const each of [executor, window]) assert.match(each.state.holds.get('disk') ?? '', cannotWrite);
    await new Promise((resolve) => setTimeout(resolve, severalLooksMs));
    for (const said of [lines, notices])
      assert.equal(said.filter((line) => cannotWrite.test(line)).length, 1, 'it is said once');
    assert.equal(room.model.api.requests.length, asked, 'nothing is asked that could not be kept');
    const { length } = lines;

    setFrozen('-');
    assert.equal((await taskEnded(executor, work)).status, 'verified');
    assert.equal(room.model.api.requests.length, asked + 1, onlyTheLostOne);
    await stateFits(window, ({ holds, tasks, sessions }) =>
      holds.size === 0 && tasks.get(work)?.status === 'verified' && sessions.size === 0 ? true : undefined,
    );
    assert.deepEqual(lines.slice(length), [], 'nothing was logged in vain');
    await executor.shutdown();
    await assertJournalIsWhole(room);
  });

  it('keeps an answer that was on its way when the storage is back as it comes', async function () {
    // Longer than until the storage is looked at again.
    const engineLimits = { ...room.options().engineLimits, firstByteMs: 60_000 };
    const executor = await room.open({ settings: { concurrency: 1 }, sources: [], engineLimits });
    const { work, answers } = await workUnderWay(room, executor);
    const asked = room.model.api.requests.length;
    freeze(this);
    await refusesCommands(room, executor, work);
    setFrozen('-');
    await stateFits(executor, ({ holds }) => (holds.size === 0 ? true : undefined));
    answers();
    assert.equal((await taskEnded(executor, work)).status, 'verified');
    assert.equal(room.model.api.requests.length, asked, 'it is not asked for again');
  });
});

describe('a storage whose file system has become read-only', () => {
  let room: WholeRoom;
  beforeEach(async function () {
    room = await WholeRoom.make();
    await mountStorage(room, this);
  });
  afterEach(() => room.close());

  it('lets what runs end in order, and goes on where it was once it was repaired', async () => {
    const executor = await room.open({ settings: { concurrency: 1 }, sources: [] });
    const { work, answers } = await workUnderWay(room, executor);
    const asked = room.model.api.requests.length;
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', room.storage], { encoding: 'utf8' }).trim();
    // What a run does in its workspace is on the disk some seconds later only, as with everything that is not synced.
    execFileSync('sync', ['--file-system', room.storage]);
    writeFileSync(`/sys/fs/ext4/${path.basename(device)}/trigger_fs_error`, 'a test');

    await refusesCommands(room, executor, work);
    answers();
    assert.match(executor.state.holds.get('disk') ?? '', cannotWrite);
    await executor.shutdown();
    await assert.rejects(room.open({ sources: [] }), { code: 'storage-unwritable', message: /EROFS/ });

    execFileSync('umount', [room.storage]);
    // A jail that is just dying may still have it mounted.
    while (execFileSync('losetup', ['--associated', imageOf(room)], { encoding: 'utf8' }) !== '')
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok((spawnSync('e2fsck', ['-f', '-y', imageOf(room)]).status ?? 8) < 4, 'it is repaired');
    assert.ok(mountExt4(room.storage, imageOf(room)));
    const again = await room.open({ settings: { concurrency: 1 }, sources: [] });
    assert.equal((await taskEnded(again, work)).status, 'verified');
    assert.equal(room.model.api.requests.length, asked + 1, onlyTheLostOne);
    await again.shutdown();
    await assertJournalIsWhole(room);
  });
});
