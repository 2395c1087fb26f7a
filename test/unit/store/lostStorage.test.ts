import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Logger, silentLogger } from '../../../src/base/logger';
import { openStore, type Store } from '../../../src/store/store';
import { FakeClock } from '../../fakes/clock';
import { queued } from '../core/sampleEvents';
import { FaultyFiles, systemError } from './faultyFile';
import { newFolder, removeFolders } from './storageFolder';

const refused = { name: 'UserError', code: 'storage-unwritable' };

/** Lets time pass until it was looked at the storage, however long that takes the disk. */
async function lookedAt(clock: FakeClock, store: Store, ms: number): Promise<void> {
  await clock.advance(ms);
  await store.room.look();
}

describe('a storage whose writes fail', () => {
  let storage: string;
  let clock: FakeClock;
  let files: FaultyFiles;
  let lines: string[];
  beforeEach(async () => {
    storage = await newFolder();
    clock = new FakeClock();
    files = new FaultyFiles();
    lines = [];
  });
  afterEach(removeFolders);

  const open = (): Promise<Store> => {
    const add = (line: string): void => void lines.push(line);
    const logger: Logger = { ...silentLogger, info: add, warn: add, error: add };
    return openStore({ storage, clock, logger, openFile: files.open });
  };

  it('says once which folder and why, refuses everything with that, and takes it again when it can be written to', async () => {
    const store = await open();
    await store.journal.append([queued('task-kept')]);
    files.faults.dead = systemError('EROFS');
    const sentence =
      `Nothing can be written to the storage folder ${storage} (EROFS: something of the disk). What was kept is safe, what runs is ` +
      'interrupted, and nothing new is begun. Let it take writes again (`dmesg` may say what its disk has), and all goes on by ' +
      'itself; end Airlock first if it must be unmounted for that.';
    const same = { ...refused, message: sentence, facts: { storage, code: 'EROFS' } };
    await assert.rejects(store.journal.append([queued('task-lost')]), same);
    await assert.rejects(store.journal.append([queued('task-later')]), same);
    assert.equal(store.room.shortage?.message, sentence);
    for (let looks = 0; looks < 5; looks += 1) await lookedAt(clock, store, 5_000);
    assert.deepEqual(lines, [sentence]);

    files.faults.dead = undefined;
    await store.room.look();
    assert.equal(store.room.shortage?.message, sentence, 'it is left alone between the looks');
    await lookedAt(clock, store, 5_000);
    assert.equal(store.room.shortage, undefined);
    assert.deepEqual(lines.slice(1), ['The storage takes everything again']);
    const [added] = await store.journal.append([queued('task-a')]);
    assert.deepEqual([added?.seq, [...store.state.tasks.keys()]], [2, ['task-kept', 'task-a']]);
    assert.deepEqual((await readdir(storage)).includes('reserve.proof'), false);
    await store.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('is held back for a moment also when the journal could be brought back at once', async () => {
    const store = await open();
    files.faults.failedSyncs = [systemError('EIO')];
    await assert.rejects(store.journal.append([queued('task-lost')]), refused);
    assert.equal(store.room.shortage?.code, 'storage-unwritable');
    assert.equal((await store.journal.append([queued('task-a')])).length, 1);
    await lookedAt(clock, store, 5_000);
    assert.equal(store.room.shortage, undefined);
    await store.close();
  });

  it('is left alone for longer each time that it fails again soon', async () => {
    const store = await open();
    const waits: number[] = [];
    for (let times = 0; times < 3; times += 1) {
      files.faults.failedSyncs = [systemError('EIO')];
      await assert.rejects(store.journal.append([queued(`task-${times}`)]), refused);
      let waitedMs = 0;
      for (; store.room.shortage !== undefined; waitedMs += 1_000) await lookedAt(clock, store, 1_000);
      waits.push(waitedMs);
    }
    assert.deepEqual(waits, [5_000, 10_000, 20_000]);
    await clock.advance(11 * 60_000);
    files.faults.failedSyncs = [systemError('EIO')];
    await assert.rejects(store.journal.append([queued('task-late')]), refused);
    await lookedAt(clock, store, 5_000);
    assert.equal(store.room.shortage, undefined);
    await store.close();
  });

  it('is not written to when another folder has come to its place', async () => {
    const store = await open();
    await store.journal.append([queued('task-kept')]);
    files.faults.dead = systemError('EIO');
    await assert.rejects(store.journal.append([queued('task-lost')]), refused);
    await rename(storage, `${storage}-away`);
    await mkdir(storage);
    files.faults.dead = undefined;
    const { opens } = files;
    await lookedAt(clock, store, 5_000);
    assert.deepEqual([store.room.shortage?.code, files.opens], ['storage-unwritable', opens]);
    await rm(storage, { recursive: true });
    await rename(`${storage}-away`, storage);
    await lookedAt(clock, store, 5_000);
    assert.equal(store.room.shortage, undefined);
    await store.close();
  });
});

describe('a storage on a file system that has become read-only', () => {
  let folder: string;
  beforeEach(async function () {
    folder = await newFolder();
    const image = path.join(folder, 'image');
    await mkdir(path.join(folder, 'mounted'));
    writeFileSync(image, '');
    const isMade =
      spawnSync('truncate', ['-s', '64M', image]).status === 0 &&
      spawnSync('mkfs.ext4', ['-q', '-F', image]).status === 0 &&
      spawnSync('mount', ['-o', 'loop,errors=remount-ro', image, path.join(folder, 'mounted')]).status === 0;
    if (isMade) return;
    process.stdout.write('    SKIPPED: an ext4 image cannot be mounted here (this needs root and loop devices)\n');
    this.skip();
  });
  afterEach(async () => {
    spawnSync('umount', ['--lazy', path.join(folder, 'mounted')]);
    await removeFolders();
  });

  it('refuses events and blobs with what is wrong, reads what is there, and closes', async () => {
    const mounted = path.join(folder, 'mounted');
    const clock = new FakeClock();
    const store = await openStore({ storage: mounted, clock, logger: silentLogger, eventsBetweenSnapshots: 2 });
    const digest = await store.blobs.put('kept');
    await store.journal.append([queued('task-a')]);
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', mounted], { encoding: 'utf8' }).trim();
    writeFileSync(`/sys/fs/ext4/${path.basename(device)}/trigger_fs_error`, 'a test');

    const readOnly = { ...refused, message: /\(EROFS: read-only file system\)/ };
    await assert.rejects(store.blobs.put('more'), readOnly);
    await assert.rejects(store.journal.append([queued('task-b')]), readOnly);
    await assert.rejects(store.journal.append([queued('task-c')]), readOnly);
    await assert.rejects(openStore({ storage: mounted, clock, logger: silentLogger }), /EROFS/);
    await lookedAt(clock, store, 5_000);
    assert.equal(store.room.shortage?.code, 'storage-unwritable');
    assert.equal(Buffer.from((await store.blobs.get(digest)) ?? '').toString(), 'kept');
    assert.deepEqual([...store.state.tasks.keys()], ['task-a']);
    await store.close();
    assert.equal(clock.pendingTimers, 0);
  });
});
