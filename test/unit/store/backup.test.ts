import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '../../../src/base/logger';
import { backUp, restore } from '../../../src/store/backup';
import { openStore, type Store } from '../../../src/store/store';
import { FakeClock } from '../../fakes/clock';
import { queued } from '../core/sampleEvents';
import { firstSegment } from './journalHarness';
import { contentOf, newFolder, removeFolders } from './storageFolder';

const open = (storage: string): Promise<Store> =>
  openStore({ storage, clock: new FakeClock(), logger: silentLogger, eventsBetweenSnapshots: 2 });

async function fill(store: Store, ...names: string[]): Promise<void> {
  for (const name of names) {
    await store.blobs.put(`the prompt of ${name}`);
    await store.journal.append([queued(name)]);
  }
}

describe('a backup', () => {
  let top: string;
  let storage: string;
  const inTop = (name: string): string => path.join(top, name);

  beforeEach(async () => {
    top = await newFolder();
    storage = inTop('storage');
    await mkdir(path.join(storage, 'zmemory'), { recursive: true });
    await writeFile(path.join(storage, 'zmemory', 'tasks.jsonl'), '{"id":"one"}\n');
  });
  afterEach(removeFolders);

  it('is taken while the storage is written to, and restores to what it was at one event', async () => {
    const store = await open(storage);
    await fill(store, 'task-a', 'task-b', 'task-c');
    const before = structuredClone(store.state);
    const [seq] = await Promise.all([backUp(storage, inTop('backup')), fill(store, 'task-d', 'task-e')]);
    await store.close();
    assert.equal(await restore(inTop('backup'), inTop('restored')), seq);
    const restored = await open(inTop('restored'));
    assert.ok(seq >= before.seq);
    assert.deepEqual([...restored.state.tasks.keys()].slice(0, 3), [...before.tasks.keys()]);
    assert.equal(restored.state.seq, seq);
    assert.deepEqual(restored.notes, []);
    const [task] = restored.state.tasks.values();
    assert.ok(task);
    assert.equal(await readFile(path.join(inTop('restored'), 'zmemory', 'tasks.jsonl'), 'utf8'), '{"id":"one"}\n');
    await fill(restored, 'task-f');
    await restored.close();
  });

  it('has no part of a write that was not finished', async () => {
    const store = await open(storage);
    await fill(store, 'task-a');
    await store.close();
    await appendFile(firstSegment(path.join(storage, 'journal')), '{"seq":2,"at');
    await backUp(storage, inTop('backup'));
    const text = await readFile(firstSegment(path.join(inTop('backup'), 'journal')), 'utf8');
    assert.ok(text.endsWith('"}\n'));
  });

  it('is not made of a journal that is broken, and leaves nothing half done', async () => {
    const store = await open(storage);
    await fill(store, 'task-a', 'task-b', 'task-c');
    await store.close();
    const file = firstSegment(path.join(storage, 'journal'));
    await writeFile(file, (await readFile(file, 'utf8')).replace('task-b', 'task-x'));
    await assert.rejects(backUp(storage, inTop('backup')), { code: 'journal-corrupt' });
    assert.deepEqual(await readdir(top), ['storage']);
  });

  it('overwrites nothing, neither when it is taken nor when it is restored', async () => {
    const store = await open(storage);
    await fill(store, 'task-a');
    await store.close();
    await backUp(storage, inTop('backup'));
    const before = await contentOf(top);
    await assert.rejects(backUp(storage, inTop('backup')), { code: 'backup-exists' });
    await assert.rejects(restore(inTop('backup'), storage), { code: 'storage-exists' });
    assert.deepEqual(await contentOf(top), before);
    await rm(storage, { recursive: true });
    await mkdir(storage);
    assert.equal(await restore(inTop('backup'), storage), 1);
  });
});
