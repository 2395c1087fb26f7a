import assert from 'node:assert/strict';
import { appendFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '../../../src/base/logger';
import { openStore } from '../../../src/store/store';
import type { JournalReport } from '../../../src/core/journalReport';
import { verifyJournal } from '../../../src/store/verifyJournal';
import { FakeClock } from '../../fakes/clock';
import { queued } from '../core/sampleEvents';
import { firstSegment } from './journalHarness';
import { contentOf, newFolder, removeFolders } from './storageFolder';

/** A storage with six events in six groups, and a snapshot after the third and the sixth. */
async function usedStorage(): Promise<string> {
  const storage = await newFolder();
  for (const part of ['a', 'b']) {
    const store = await openStore({ storage, clock: new FakeClock(), logger: silentLogger });
    for (const at of [1, 2, 3]) await store.journal.append([queued(`task-${part}${at}`)]);
    await store.close();
  }
  return storage;
}

const journalIn = (storage: string): string => firstSegment(path.join(storage, 'journal'));

async function states(storage: string): Promise<unknown> {
  const { state, head, snapshots } = await verifyJournal(storage);
  return { state, events: head.seq, snapshots: snapshots.map((snapshot) => snapshot.state) };
}

describe('verifying a journal', () => {
  afterEach(removeFolders);

  it('finds one whole that is, with the snapshots that fit it, and changes nothing', async () => {
    const storage = await usedStorage();
    const before = await contentOf(storage);
    const report = await verifyJournal(storage);
    const expected: Omit<JournalReport, 'head' | 'snapshots' | 'anchors'> = {
      state: 'whole',
      problem: null,
      segments: 1,
      dropped: null,
    };
    const { head, snapshots, anchors, ...rest } = report;
    assert.equal(anchors.state, 'none');
    assert.deepEqual(rest, expected);
    assert.equal(head.seq, 6);
    assert.deepEqual(
      snapshots.map(({ state }) => state),
      ['fits', 'fits'],
    );
    assert.deepEqual(await contentOf(storage), before);
  });

  it('tells the beginning of a write from damage', async () => {
    const storage = await usedStorage();
    await appendFile(journalIn(storage), '{"seq":7,"atMs":1,"v":1,"ki');
    assert.deepEqual(await states(storage), { state: 'unfinished', events: 6, snapshots: ['fits', 'fits'] });
  });

  it('says where the chain breaks, also before the snapshot that a start begins with', async () => {
    const storage = await usedStorage();
    const text = await readFile(journalIn(storage), 'utf8');
    await writeFile(journalIn(storage), text.replace('task-a2', 'task-x2'));
    const report = await verifyJournal(storage);
    assert.match(report.problem ?? '', /000001\.jsonl, line 4: its checksum does not match/);
    assert.deepEqual({ state: report.state, events: report.head.seq }, { state: 'broken', events: 1 });
    // A start begins behind the snapshot, and so does not see it.
    const store = await openStore({ storage, clock: new FakeClock(), logger: silentLogger });
    await store.close();
  });

  it('sees a journal that was put in the place of another, or cut at a commit line', async () => {
    const storage = await usedStorage();
    const whole = await readFile(journalIn(storage));
    await rm(path.join(storage, 'journal'), { recursive: true });
    const impostor = await newFolder();
    const store = await openStore({ storage: impostor, clock: new FakeClock(), logger: silentLogger });
    for (const at of [1, 2, 3, 4, 5, 6]) await store.journal.append([queued(`other-${at}`)]);
    await store.close();
    await cp(path.join(impostor, 'journal'), path.join(storage, 'journal'), { recursive: true });
    assert.deepEqual(await states(storage), { state: 'whole', events: 6, snapshots: ['foreign', 'foreign'] });

    const lines = whole.toString('utf8').trimEnd().split('\n');
    await writeFile(journalIn(storage), `${lines.slice(0, -2).join('\n')}\n`);
    assert.deepEqual(await states(storage), { state: 'whole', events: 5, snapshots: ['foreign', 'fits'] });
  });

  it('names a snapshot that is damaged', async () => {
    const storage = await usedStorage();
    const folder = path.join(storage, 'snapshots');
    const [oldest = ''] = (await readdir(folder)).sort();
    await writeFile(path.join(folder, oldest), 'nonsense');
    assert.deepEqual(await states(storage), { state: 'whole', events: 6, snapshots: ['fits', 'damaged'] });
  });

  it('says so when there is none', async () => {
    const storage = await newFolder();
    await assert.rejects(verifyJournal(storage), { name: 'UserError', code: 'no-journal' });
    await rm(storage, { recursive: true });
  });
});
