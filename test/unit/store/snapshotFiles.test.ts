import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../../src/base/digest';
import { applyEvent } from '../../../src/core/fold';
import { emptyState, type LiveState } from '../../../src/core/liveState';
import type { JournalPosition } from '../../../src/store/journalPosition';
import { readNewestSnapshot, writeSnapshot } from '../../../src/store/snapshotFiles';
import { asEvents, queued } from '../core/sampleEvents';
import { contentOf, newFolder, removeFolders } from './storageFolder';

function stateAt(seq: number): { state: LiveState; position: JournalPosition } {
  const state = emptyState();
  const bodies = Array.from({ length: seq }, (_, index) => queued(`task-${index}`));
  for (const event of asEvents(bodies)) applyEvent(state, event);
  return { state, position: { segment: 1, offset: seq * 100, hash: 'a'.repeat(64), seq } };
}

async function folderWithSnapshots(...seqs: number[]): Promise<string> {
  const folder = path.join(await newFolder(), 'snapshots');
  for (const seq of seqs) {
    const { state, position } = stateAt(seq);
    await writeSnapshot(folder, state, position);
  }
  return folder;
}

describe('snapshots', () => {
  afterEach(removeFolders);

  it('give back the state and its place in the journal', async () => {
    const folder = await folderWithSnapshots(3);
    assert.deepEqual(await readNewestSnapshot(folder), { snapshot: stateAt(3), notes: [] });
  });

  it('are none in an empty folder, and in none at all', async () => {
    const folder = path.join(await newFolder(), 'snapshots');
    assert.deepEqual(await readNewestSnapshot(folder), { snapshot: undefined, notes: [] });
  });

  it('are for their owner alone, and the two newest are kept', async () => {
    const folder = await folderWithSnapshots(3, 5, 12);
    assert.deepEqual((await readdir(folder)).sort(), ['snapshot-000000000005.json', 'snapshot-000000000012.json']);
    assert.equal((await stat(path.join(folder, 'snapshot-000000000012.json'))).mode & 0o777, 0o600);
  });

  it('fall back a generation when the newest is damaged, at any place, and say so', async function () {
    this.timeout(60_000);
    const folder = await folderWithSnapshots(1, 2);
    const newest = path.join(folder, 'snapshot-000000000002.json');
    const whole = await readFile(newest);
    for (let at = 0; at < whole.length - 1; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at] = (whole[at] ?? 0) ^ 4;
      await writeFile(newest, damaged);
      const { snapshot, notes } = await readNewestSnapshot(folder);
      assert.deepEqual([snapshot, notes.length], [stateAt(1), 1], `byte ${at}`);
      assert.match(notes[0] ?? '', /snapshot-000000000002\.json is damaged/);
    }
  });

  it('fall back when the newest is cut', async () => {
    const folder = await folderWithSnapshots(1, 2);
    const newest = path.join(folder, 'snapshot-000000000002.json');
    const whole = await readFile(newest);
    for (const length of [0, 1, 100, whole.length - 20]) {
      await writeFile(newest, whole.subarray(0, length));
      assert.deepEqual((await readNewestSnapshot(folder)).snapshot, stateAt(1));
    }
  });

  it('are passed over when all of them are damaged', async () => {
    const folder = await folderWithSnapshots(1, 2);
    for (const name of await readdir(folder)) await writeFile(path.join(folder, name), '{}');
    const { snapshot, notes } = await readNewestSnapshot(folder);
    assert.deepEqual([snapshot, notes.length], [undefined, 2]);
  });

  it('of a newer version are refused, and nothing is changed', async () => {
    for (const newer of ['"format":2', '"version":99']) {
      const folder = await folderWithSnapshots(1, 2);
      const newest = path.join(folder, 'snapshot-000000000002.json');
      const [, content = ''] = (await readFile(newest, 'utf8')).split('\n');
      const changed = content.replace(newer.startsWith('"format') ? '"format":1' : '"version":1', newer);
      assert.notEqual(changed, content);
      await writeFile(newest, `${JSON.stringify({ airlock: 'snapshot', sha256: sha256(changed) })}\n${changed}\n`);
      const before = await contentOf(folder);
      await assert.rejects(readNewestSnapshot(folder), { name: 'UserError', code: 'journal-newer' });
      assert.deepEqual(await contentOf(folder), before);
    }
  });

  it('leave nothing half written behind', async () => {
    const folder = await folderWithSnapshots(1);
    await writeFile(path.join(folder, 'snapshot-000000000002.json.tmp'), 'half');
    assert.deepEqual((await readNewestSnapshot(folder)).snapshot, stateAt(1));
    const { state, position } = stateAt(2);
    await writeSnapshot(folder, state, position);
    assert.deepEqual((await readdir(folder)).sort(), ['snapshot-000000000001.json', 'snapshot-000000000002.json']);
  });
});
