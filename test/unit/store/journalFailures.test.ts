import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { queued } from '../core/sampleEvents';
import { FaultyFiles, systemError } from './faultyFile';
import { firstSegment, openForTest, reopen } from './journalHarness';
import { contentOf, newFolder, removeFolders } from './storageFolder';

/** The tasks that a restart finds. */
async function tasksIn(folder: string): Promise<unknown[]> {
  const { replayed, notes } = await reopen(folder);
  assert.deepEqual(notes, []);
  return replayed.map((event) => 'taskId' in event && event.taskId);
}

async function openFaulty(): Promise<{ folder: string; files: FaultyFiles } & Awaited<ReturnType<typeof openForTest>>> {
  const folder = await newFolder();
  const files = new FaultyFiles();
  const opened = await openForTest(folder, { openFile: files.open });
  await opened.journal.append([queued('task-kept')]);
  return { folder, files, ...opened };
}

describe('the journal on a full disk', () => {
  afterEach(removeFolders);

  it('writes on after a short write', async () => {
    const { folder, files, journal } = await openFaulty();
    files.faults.shortWrites = [1, 7, 100];
    await journal.append([queued('task-a')]);
    await journal.close();
    assert.deepEqual(await tasksIn(folder), ['task-kept', 'task-a']);
  });

  for (const code of ['ENOSPC', 'EDQUOT']) {
    for (const bytes of [0, 50, 400]) {
      it(`refuses what has no room (${code} after ${bytes} bytes), keeps the rest, and goes on when there is room`, async () => {
        const { folder, files, journal, followed } = await openFaulty();
        const before = await contentOf(folder);
        files.faults.failedWrites = [{ error: systemError(code), bytes }];
        await assert.rejects(journal.append([queued('task-lost')]), {
          name: 'UserError',
          code: 'disk-full',
          facts: { file: firstSegment(folder) },
        });
        assert.deepEqual(await contentOf(folder), before);
        const [added] = await journal.append([queued('task-a')]);
        assert.equal(added?.seq, 2);
        await journal.close();
        assert.deepEqual(await tasksIn(folder), ['task-kept', 'task-a']);
        assert.deepEqual(
          followed.map((event) => event.seq),
          [1, 2],
        );
      });
    }
  }

  it('refuses every append that shared the write', async () => {
    const { folder, files, journal } = await openFaulty();
    files.faults.failedWrites = [{ error: systemError('ENOSPC'), bytes: 30 }];
    const answers = await Promise.allSettled([journal.append([queued('task-a')]), journal.append([queued('task-b')])]);
    assert.deepEqual(
      answers.map((answer) => answer.status),
      ['rejected', 'rejected'],
    );
    await journal.close();
    assert.deepEqual(await tasksIn(folder), ['task-kept']);
  });

  it('opens the file anew when the cut fails, and cuts there', async () => {
    const { folder, files, journal } = await openFaulty();
    files.faults.failedWrites = [{ error: systemError('ENOSPC'), bytes: 30 }];
    files.faults.failedTruncates = [systemError('EIO')];
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'disk-full' });
    await journal.append([queued('task-a')]);
    await journal.close();
    assert.deepEqual([files.opens, await tasksIn(folder)], [2, ['task-kept', 'task-a']]);
  });

  it('holds on a file system that is really full', async function () {
    const folder = await newFolder();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    if (mounted.status !== 0) {
      process.stdout.write('    SKIPPED: a small tmpfs cannot be mounted here (this needs root)\n');
      this.skip();
    }
    try {
      const { journal } = await openForTest(path.join(folder, 'journal'));
      await journal.append([queued('task-first')]);
      writeFileSync(path.join(folder, 'ballast'), Buffer.alloc(40 * 1024));
      const title = 'x'.repeat(200);
      let kept = 0;
      await assert.rejects(
        async () => {
          for (; kept < 1000; kept += 1) await journal.append([queued(`task-${kept}`, { title })]);
        },
        { code: 'disk-full' },
      );
      await assert.rejects(journal.append([queued('task-again', { title })]), { code: 'disk-full' });
      rmSync(path.join(folder, 'ballast'));
      await journal.append([queued('task-last', { title })]);
      await journal.close();
      const expected = ['task-first', ...Array.from({ length: kept }, (_, index) => `task-${index}`), 'task-last'];
      assert.deepEqual(await tasksIn(path.join(folder, 'journal')), expected);
    } finally {
      spawnSync('umount', [folder]);
    }
  });

  it('is not begun where there is no room to put the end of a crash aside', async function () {
    const folder = await newFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]).status !== 0) {
      process.stdout.write('    SKIPPED: a small tmpfs cannot be mounted here (this needs root)\n');
      this.skip();
    }
    try {
      const { journal } = await openForTest(folder);
      await journal.close();
      await writeFile(
        firstSegment(folder),
        Buffer.concat([await readFile(firstSegment(folder)), Buffer.from('{"torn')]),
      );
      writeFileSync(path.join(folder, 'ballast'), Buffer.alloc(4096));
      try {
        for (let count = 0; count < 8; count += 1)
          writeFileSync(path.join(folder, `ballast-${count}`), Buffer.alloc(4096));
      } catch {
        // It is full now, as it must be.
      }
      const before = await contentOf(folder);
      await assert.rejects(reopen(folder), { code: 'disk-full' });
      assert.deepEqual(await contentOf(folder), before);
    } finally {
      spawnSync('umount', [folder]);
    }
  });
});

describe('the journal on a failing disk', () => {
  afterEach(removeFolders);

  it('never syncs again on a descriptor whose sync has failed: it opens the file anew and cuts what is in doubt', async () => {
    const { folder, files, journal, followed } = await openFaulty();
    const before = await contentOf(folder);
    files.faults.failedSyncs = [systemError('EIO')];
    await assert.rejects(journal.append([queued('task-lost')]), {
      name: 'UserError',
      code: 'journal-failed',
      facts: { file: firstSegment(folder), recovered: true },
    });
    assert.equal(files.opens, 2);
    assert.deepEqual(await contentOf(folder), before);
    await journal.append([queued('task-a')]);
    await journal.close();
    assert.deepEqual(await tasksIn(folder), ['task-kept', 'task-a']);
    assert.equal(followed.length, 2);
  });

  it('says that the disk is full when that is why the sync failed', async () => {
    const { files, journal } = await openFaulty();
    files.faults.failedSyncs = [systemError('ENOSPC')];
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'disk-full' });
    await journal.close();
  });

  it('undoes a write that failed for another reason', async () => {
    const { folder, files, journal } = await openFaulty();
    files.faults.failedWrites = [{ error: systemError('EIO'), bytes: 20 }];
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'journal-failed' });
    await journal.close();
    assert.deepEqual(await tasksIn(folder), ['task-kept']);
  });

  for (const code of ['EROFS', 'EIO']) {
    it(`writes nothing while nothing can be written (${code}), and goes on behind what was promised when it is brought back`, async () => {
      const { folder, files, journal, followed } = await openFaulty();
      files.faults.failedWrites = [{ error: systemError(code), bytes: 20 }];
      files.faults.failedTruncates = [systemError(code)];
      files.faults.failedOpens = [systemError(code)];
      await assert.rejects(journal.append([queued('task-lost')]), { code: 'journal-failed' });
      files.faults.dead = systemError(code);
      await assert.rejects(journal.bringBack(), { code });
      const { writes } = files;
      await assert.rejects(journal.append([queued('task-later')]), { code: 'journal-failed' });
      assert.equal(files.writes, writes, 'the disk is left alone');

      files.faults.dead = undefined;
      await journal.bringBack();
      await journal.bringBack();
      const [added] = await journal.append([queued('task-a')]);
      assert.equal(added?.seq, 2);
      await journal.close();
      assert.deepEqual(await tasksIn(folder), ['task-kept', 'task-a']);
      assert.equal(followed.length, 2);
    });
  }

  it('is not brought back into a file that is no longer the one that was written, and changes nothing of that', async () => {
    const { folder, files, journal } = await openFaulty();
    files.faults.dead = systemError('EROFS');
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'journal-failed' });
    files.faults.dead = undefined;
    await writeFile(firstSegment(folder), 'something else\n');
    await assert.rejects(journal.bringBack(), /no longer there/);
    await assert.rejects(journal.append([queued('task-later')]), { code: 'journal-failed' });
    await journal.close();
    assert.equal(await readFile(firstSegment(folder), 'utf8'), 'something else\n');
  });

  it('is closed for good, whether or not it was brought back', async () => {
    const { files, journal } = await openFaulty();
    files.faults.dead = systemError('EROFS');
    await assert.rejects(journal.append([queued('task-lost')]), { code: 'journal-failed' });
    files.faults.dead = undefined;
    await journal.close();
    await journal.bringBack();
    await assert.rejects(journal.append([queued('task-later')]), { code: 'journal-failed' });
  });

  it('stops when the file cannot be opened again, and what was promised is there at the next start', async () => {
    const { folder, files, journal } = await openFaulty();
    files.faults.failedSyncs = [systemError('EIO')];
    files.faults.failedOpens = [systemError('EIO'), systemError('EIO')];
    const failed = { code: 'journal-failed', facts: { file: firstSegment(folder), recovered: false } };
    await assert.rejects(journal.append([queued('task-lost')]), failed);
    await assert.rejects(journal.append([queued('task-later')]), failed);
    await journal.close();
    // Nobody was promised the lost one; the disk had it all the same.
    assert.deepEqual(await tasksIn(folder), ['task-kept', 'task-lost']);
  });

  it('stops when the file is no longer the one that was written', async () => {
    const { folder, files, journal } = await openFaulty();
    files.faults.failedSyncs = [systemError('EIO')];
    files.syncGate = writeFile(firstSegment(folder), 'something else\n');
    await assert.rejects(journal.append([queued('task-lost')]), {
      facts: { file: firstSegment(folder), recovered: false },
    });
    await journal.close();
    assert.equal((await readFile(firstSegment(folder), 'utf8')).startsWith('something else\n'), true);
  });

  it('rejects what waits when it stops', async () => {
    const { files, journal } = await openFaulty();
    let openGate = (): void => {};
    files.syncGate = new Promise((resolve) => (openGate = resolve));
    files.faults.failedSyncs = [systemError('EIO')];
    files.faults.failedOpens = [systemError('EIO'), systemError('EIO')];
    const syncsBefore = files.syncs;
    const first = journal.append([queued('task-a')]);
    while (files.syncs === syncsBefore) await new Promise((resolve) => setImmediate(resolve));
    const second = journal.append([queued('task-b')]);
    openGate();
    await assert.rejects(first, { code: 'journal-failed' });
    await assert.rejects(second, { code: 'journal-failed' });
    await journal.close();
  });
});
