import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../../src/base/logger';
import { backUp, restore } from '../../../src/store/backup';
import { droppedSegmentsFile, readDropped, writeDropped } from '../../../src/store/droppedSegments';
import { SegmentRetention, type SegmentRetentionOptions } from '../../../src/store/segmentRetention';
import { openStore, type OpenStoreOptions, type Store } from '../../../src/store/store';
import { verifyJournal } from '../../../src/store/verifyJournal';
import { FakeClock } from '../../fakes/clock';
import { queued } from '../core/sampleEvents';
import { contentOf, newFolder, removeFolders, writtenAt } from './storageFolder';

const dayMs = 86_400_000;
const never = { keepMs: null, maxBytes: null };

/** So short that each event has a segment of its own, and each has a snapshot. */
function open(storage: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
  const small = { maxSegmentBytes: 300, eventsBetweenSnapshots: 1, keep: { segments: never } };
  return openStore({ storage, clock: new FakeClock(), logger: silentLogger, ...small, ...options });
}

const segmentName = (segment: number): string => `00000${segment}.jsonl`;

/** A task on each of six days, and a snapshot after each; the clock is then at the seventh. */
async function sixDays(storage: string): Promise<FakeClock> {
  const clock = new FakeClock(0);
  for (let day = 1; day <= 6; day += 1) {
    const store = await open(storage, { clock });
    await store.journal.append([queued(`task-${day}`)]);
    await store.close();
    await writtenAt(path.join(storage, 'journal', segmentName(day)), clock.nowMs());
    await clock.advance(dayMs);
  }
  return clock;
}

function retention(
  storage: string,
  clock: FakeClock,
  options: Partial<SegmentRetentionOptions> = {},
): SegmentRetention {
  return new SegmentRetention({
    journal: path.join(storage, 'journal'),
    snapshots: path.join(storage, 'snapshots'),
    limits: { keepMs: 3.5 * dayMs, maxBytes: null },
    takeIn: () => Promise.resolve(),
    clock,
    logger: silentLogger,
    ...options,
  });
}

const filesOf = async (storage: string): Promise<string[]> => (await readdir(path.join(storage, 'journal'))).sort();
const tasksOf = async (storage: string): Promise<string[]> => {
  const store = await open(storage);
  const tasks = [...store.state.tasks.keys()];
  await store.close();
  return tasks;
};
const sixTasks = ['task-1', 'task-2', 'task-3', 'task-4', 'task-5', 'task-6'];
const sixSegments = sixTasks.map((_, index) => segmentName(index + 1));

describe('old segments of the journal', () => {
  let storage: string;
  let journal: string;
  beforeEach(async () => {
    storage = path.join(await newFolder(), 'storage');
    journal = path.join(storage, 'journal');
  });
  afterEach(removeFolders);

  it('are dropped when they are too old, and leave what the chain is checked with', async () => {
    const clock = await sixDays(storage);
    const taken: number[] = [];
    const takeIn = (seq: number): Promise<void> => Promise.resolve(void taken.push(seq));
    const lastLine = (await readFile(path.join(journal, '000003.jsonl'), 'utf8')).length;
    assert.equal(await retention(storage, clock, { takeIn }).drop(), 3);
    assert.deepEqual(taken, [3]);
    assert.deepEqual(await filesOf(storage), [...sixSegments.slice(3), 'dropped.jsonl']);
    const dropped = await readDropped(journal);
    assert.deepEqual(
      dropped.map(({ firstSeq, lastSeq, lastAtMs }) => [firstSeq, lastSeq, lastAtMs]),
      [
        [1, 1, 0],
        [2, 2, dayMs],
        [3, 3, 2 * dayMs],
      ],
    );
    assert.equal(dropped[2]?.bytes, lastLine);
    const { state, segments, dropped: gone, head, snapshots } = await verifyJournal(storage);
    assert.deepEqual(
      { state, segments, gone, seq: head.seq, snapshots: snapshots.map((snapshot) => snapshot.state) },
      { state: 'whole', segments: 3, gone: { segments: 3, throughSeq: 3 }, seq: 6, snapshots: ['fits', 'fits'] },
    );
    assert.deepEqual(await tasksOf(storage), sixTasks);
    assert.equal(await retention(storage, clock).drop(), 0);
  });

  it('are dropped by a store that is opened and closed, and never the ones that a start may need', async () => {
    const clock = await sixDays(storage);
    await clock.advance(1000 * dayMs);
    const store = await open(storage, {
      clock,
      keep: { segments: { keepMs: dayMs, maxBytes: null } },
      databaseWorker: noWorker(),
    });
    await store.close();
    // The database cannot take them in: then they stay.
    assert.deepEqual(await filesOf(storage), sixSegments);
    assert.equal(await retention(storage, clock).drop(), 4);
    assert.deepEqual(await filesOf(storage), ['000005.jsonl', '000006.jsonl', 'dropped.jsonl']);
    assert.deepEqual(await tasksOf(storage), sixTasks);
  });

  it('are dropped before their time when all of them are too much', async () => {
    const clock = await sixDays(storage);
    const { length } = await readFile(path.join(journal, '000001.jsonl'));
    const limits = { keepMs: null, maxBytes: 4.5 * length };
    assert.equal(await retention(storage, clock, { limits }).drop(), 2);
    assert.equal(await retention(storage, clock, { limits: never }).drop(), 0);
  });

  it('stay while one of the two generations of snapshots is damaged', async () => {
    const clock = await sixDays(storage);
    const [older = ''] = (await readdir(path.join(storage, 'snapshots'))).sort();
    await writeFile(path.join(storage, 'snapshots', older), 'no snapshot');
    assert.equal(await retention(storage, clock).drop(), 0);
    assert.deepEqual(await filesOf(storage), sixSegments);
  });

  it('stay when the database cannot take in what they say', async () => {
    const clock = await sixDays(storage);
    const takeIn = (): Promise<void> => Promise.reject(new Error('no database'));
    await assert.rejects(retention(storage, clock, { takeIn }).drop(), /no database/);
    assert.deepEqual(await filesOf(storage), sixSegments);
  });

  it('stay when one of them is not whole: nothing damaged is written down as good', async () => {
    const clock = await sixDays(storage);
    const file = path.join(journal, '000002.jsonl');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('task-2', 'task-x'));
    await assert.rejects(retention(storage, clock).drop(), { code: 'journal-corrupt' });
    assert.deepEqual(await filesOf(storage), sixSegments);
  });

  it('are not read while their files are young, so that a start does not wait for it', async () => {
    const clock = await sixDays(storage);
    const limits = { keepMs: 100 * dayMs, maxBytes: null };
    const file = path.join(journal, segmentName(1));
    // Who reads it rejects.
    await writeFile(file, (await readFile(file, 'utf8')).replace('task-1', 'task-x'));
    await writtenAt(file, 0);
    assert.equal(await retention(storage, clock, { limits }).drop(), 0);
  });

  it('stay while their last event is young, however old their files say that they are', async () => {
    const clock = await sixDays(storage);
    for (const name of sixSegments) await writtenAt(path.join(journal, name), 0);
    assert.equal(await retention(storage, clock).drop(), 3);
  });

  it('count for nothing when a process was killed before it had removed them, and are removed later', async () => {
    const clock = await sixDays(storage);
    const there = await contentOf(journal);
    await retention(storage, clock).drop();
    for (const name of ['000001.jsonl', '000003.jsonl']) {
      await writeFile(path.join(journal, name), Buffer.from(there[name] ?? '', 'base64'));
    }
    assert.equal((await verifyJournal(storage)).state, 'whole');
    assert.deepEqual(await tasksOf(storage), sixTasks);
    await retention(storage, clock).drop();
    assert.deepEqual(await filesOf(storage), [...sixSegments.slice(3), 'dropped.jsonl']);
  });

  it('are refused when their list is not as it was written, at any byte, and nothing is changed', async function () {
    this.timeout(20_000);
    await retention(storage, await sixDays(storage)).drop();
    const file = droppedSegmentsFile(journal);
    const whole = await readFile(file);
    for (let at = 0; at < whole.length; at += 101) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await writeFile(file, bytes);
      const before = await contentOf(storage);
      await assert.rejects(open(storage), { code: 'journal-corrupt' }, `byte ${at}`);
      const { state, problem } = await verifyJournal(storage);
      assert.equal(state, 'broken');
      assert.match(problem ?? '', /dropped\.jsonl, line \d/);
      const after = await contentOf(storage);
      assert.deepEqual(after, before);
    }
  });

  it('are refused when their list is gone, cut, or names one less', async () => {
    await retention(storage, await sixDays(storage)).drop();
    const dropped = await readDropped(journal);
    await writeDropped(journal, dropped.slice(0, 2));
    await assert.rejects(open(storage), /segments 3 to 3 are missing, and nothing says that they were dropped/);
    await writeDropped(journal, dropped.slice(1));
    await assert.rejects(open(storage), /dropped segment 2 does not follow/);
    await rm(droppedSegmentsFile(journal));
    await assert.rejects(open(storage), /segments 1 to 3 are missing/);
  });

  it('are missed, in plain words, when no snapshot is whole', async () => {
    await retention(storage, await sixDays(storage)).drop();
    await rm(path.join(storage, 'snapshots'), { recursive: true });
    const before = await contentOf(journal);
    await assert.rejects(open(storage), { code: 'journal-corrupt', message: /No snapshot is whole.*from a backup/ });
    assert.deepEqual(await contentOf(journal), before);
  });

  it('are missed by no backup, which has their list and the history', async () => {
    await retention(storage, await sixDays(storage)).drop();
    await writeFile(path.join(storage, 'history.sqlite'), 'what the database has');
    const [backup, restored] = [path.join(storage, '..', 'backup'), path.join(storage, '..', 'restored')];
    assert.equal(await backUp(storage, backup), 6);
    assert.equal(await restore(backup, restored), 6);
    assert.equal(await readFile(path.join(restored, 'history.sqlite'), 'utf8'), 'what the database has');
    assert.deepEqual((await verifyJournal(restored)).dropped, { segments: 3, throughSeq: 3 });
    assert.deepEqual(await tasksOf(restored), sixTasks);
  });

  it('spoil a backup when they are dropped after it has the history, which may not know of them yet', async () => {
    const clock = await sixDays(storage);
    await writeFile(path.join(storage, 'history.sqlite'), 'what the database had before');
    const top = path.dirname(storage);
    const after = path.join(top, 'after');
    await cp(storage, after, { recursive: true, preserveTimestamps: true });
    await retention(after, clock).drop();
    const taking = backUp(storage, path.join(top, 'backup'));
    // The folder for the copy of the journal is made behind the history.
    const hasHistory = (): boolean =>
      readdirSync(top).some((name) => name.startsWith('backup') && existsSync(path.join(top, name, 'journal')));
    while (!hasHistory()) await setImmediate();
    renameSync(journal, path.join(top, 'before'));
    renameSync(path.join(after, 'journal'), journal);
    await assert.rejects(taking, { code: 'backup-disturbed' });
    assert.deepEqual((await readdir(top)).sort(), ['after', 'before', 'storage']);
  });

  it('are as old in a storage that was restored as in the one that the backup was taken of', async () => {
    const clock = await sixDays(storage);
    const [backup, restored] = [path.join(storage, '..', 'backup'), path.join(storage, '..', 'restored')];
    await backUp(storage, backup);
    await restore(backup, restored);
    assert.equal(await retention(restored, clock).drop(), 3);
  });

  function noWorker(): { entry: string } {
    return { entry: path.join(storage, 'no-such-worker.js') };
  }
});
