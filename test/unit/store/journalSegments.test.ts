import assert from 'node:assert/strict';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { queued } from '../core/sampleEvents';
import { FaultyFiles, systemError } from './faultyFile';
import { openForTest, reopen } from './journalHarness';
import { contentOf, newFolder, removeFolders } from './storageFolder';

/** So short that every event begins a segment of its own but the first, which shares the header's. */
const maxSegmentBytes = 300;

async function segmentsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort();
}

describe('a journal whose segments grow long', () => {
  afterEach(removeFolders);

  it('goes on in a new segment, in one chain, and never touches the old ones again', async () => {
    const folder = await newFolder();
    const { journal, followed } = await openForTest(folder, { maxSegmentBytes });
    await journal.append([queued('task-1')]);
    const first = await contentOf(folder);
    await journal.append([queued('task-2')]);
    await journal.append([queued('task-3')]);
    await journal.close();
    assert.deepEqual(await segmentsIn(folder), ['000001.jsonl', '000002.jsonl', '000003.jsonl']);
    assert.equal((await contentOf(folder))['000001.jsonl'], first['000001.jsonl']);
    const again = await openForTest(folder, { maxSegmentBytes });
    assert.deepEqual(again.replayed, followed);
    await again.journal.append([queued('task-4')]);
    await again.journal.close();
    const { replayed, notes } = await reopen(folder);
    assert.deepEqual([replayed.map(({ seq }) => seq), notes], [[1, 2, 3, 4], []]);
  });

  it('goes on in a segment that a crash left with nothing but its header', async () => {
    const folder = await newFolder();
    const files = new FaultyFiles();
    const { journal } = await openForTest(folder, { maxSegmentBytes, openFile: files.open });
    await journal.append([queued('task-1')]);
    files.faults.failedWrites = [{ error: systemError('EIO'), bytes: 0 }];
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'journal-failed' });
    await journal.close();
    assert.deepEqual(await segmentsIn(folder), ['000001.jsonl', '000002.jsonl']);
    const again = await openForTest(folder, { maxSegmentBytes });
    await again.journal.append([queued('task-2')]);
    await again.journal.close();
    assert.deepEqual(
      (await reopen(folder)).replayed.map(({ seq }) => seq),
      [1, 2],
    );
  });

  it('loses nothing when a new segment cannot be made or opened, and tries again with the next append', async () => {
    const folder = await newFolder();
    const files = new FaultyFiles();
    const { journal } = await openForTest(folder, { maxSegmentBytes, openFile: files.open });
    await journal.append([queued('task-1')]);
    // Something that nobody can write to stands where the segment is first written.
    await mkdir(path.join(folder, '000002.jsonl.tmp'));
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'journal-failed' });
    await rm(path.join(folder, '000002.jsonl.tmp'), { recursive: true, force: true });
    files.faults.failedOpens = [systemError('EMFILE')];
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'journal-failed' });
    await journal.append([queued('task-2')]);
    await journal.close();
    const { replayed, notes } = await reopen(folder);
    assert.deepEqual([replayed.map((event) => 'taskId' in event && event.taskId), notes], [['task-1', 'task-2'], []]);
  });
});
