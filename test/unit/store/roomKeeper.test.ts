import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '../../../src/base/logger';
import { acquireOwnership } from '../../../src/store/ownership';
import { openStore } from '../../../src/store/store';
import { identifyProcess } from '../../../src/jail/procfs';
import { FakeClock } from '../../fakes/clock';
import { newFolder, removeFolders } from './storageFolder';

const changed = { kind: 'queue.changed', mode: 'running', by: 'user' } as const;

describe('the room that is set aside', () => {
  let storage: string;
  beforeEach(async function () {
    storage = await newFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', storage]).status === 0) return;
    process.stdout.write('    SKIPPED: a small tmpfs cannot be mounted here (this needs root)\n');
    this.skip();
  });
  afterEach(async () => {
    spawnSync('umount', ['--lazy', storage]);
    await removeFolders();
  });

  const fillDisk = async (): Promise<string> => {
    const ballast = path.join(storage, 'ballast');
    const bytes = Buffer.alloc(64 * 1024, 1);
    for (;;) {
      try {
        await appendFile(ballast, bytes);
      } catch {
        return ballast;
      }
    }
  };
  const open = (clock: FakeClock): ReturnType<typeof openStore> => openStore({ storage, clock, logger: silentLogger });

  it('keeps events and blobs on a full disk, and is set aside again by itself when there is room', async () => {
    const clock = new FakeClock();
    const store = await open(clock);
    assert.deepEqual(
      [store.room.shortage, await readdir(path.join(storage, 'reserve'))],
      [undefined, ['1', '2', '3', '4']],
    );
    const ballast = await fillDisk();
    const digest = await store.blobs.put(Buffer.alloc(20_000, 7));
    for (let times = 0; times < 30; times += 1) await store.journal.append([changed]);
    assert.match(store.room.shortage?.message ?? '', /is full/);
    assert.equal((await readdir(path.join(storage, 'reserve'))).length < 4, true);
    assert.equal((await store.blobs.get(digest))?.length, 20_000);

    const changes: unknown[] = [];
    store.room.onDidChange(() => changes.push(store.room.shortage));
    await rm(ballast);
    // It looks every few seconds; each look takes as long as the disk takes.
    while (store.room.shortage !== undefined) await clock.advance(1_000);
    assert.deepEqual([changes, await readdir(path.join(storage, 'reserve'))], [[undefined], ['1', '2', '3', '4']]);
    await store.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('lets an executor start on a full disk, which then says so', async () => {
    const clock = new FakeClock();
    await (await open(clock)).close();
    await fillDisk();
    const process_ = identifyProcess(process.pid);
    assert.ok(process_);
    const ownership = await acquireOwnership({ storage, process: process_ });
    assert.equal(ownership.kind, 'owner');
    const store = await open(clock);
    assert.match(store.room.shortage?.message ?? '', /is full/);
    assert.equal((await store.journal.append([changed])).length, 1);
    await store.close();
    if (ownership.kind === 'owner') await ownership.release();
  });
});
