import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { silentLogger } from '../../../src/base/logger';
import { toWire } from '../../../src/core/snapshot';
import { openStore, type Store } from '../../../src/store/store';
import { verifyJournal } from '../../../src/store/verifyJournal';
import { FakeClock } from '../../fakes/clock';
import { readEvents } from '../../crash/crashJournal';
import { queued } from '../core/sampleEvents';
import { newFolder, removeFolders } from './storageFolder';

/**
 * What earlier versions wrote, as they wrote it: the journal has at least one event of every kind that there was, and the snapshot
 * is of event 400 of 600. These files are never made anew; a change of a shape adds more of them.
 */
const versions = [{ journal: 'journal-1.jsonl.gz', snapshot: 'snapshot-1.json.gz', kinds: 67 }];

async function unpack(name: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await writeFile(to, gunzipSync(await readFile(path.join(__dirname, 'earlier', name))));
}

const open = (storage: string): Promise<Store> =>
  openStore({ storage, clock: new FakeClock(), logger: silentLogger, eventsBetweenSnapshots: 1_000_000 });

describe('a storage of an earlier version', function () {
  this.timeout(20_000);
  afterEach(removeFolders);

  for (const version of versions) {
    it(`is read as it was, and written on (${version.journal})`, async () => {
      const storage = await newFolder();
      const segment = path.join(storage, 'journal', '000001.jsonl');
      await unpack(version.journal, segment);
      const written = await readFile(segment, 'utf8');
      const events = await readEvents(storage);
      assert.deepEqual([events.length, new Set(events.map(({ kind }) => kind)).size], [600, version.kinds]);
      // What an event said is still said by it: nothing of it falls away as it is read.
      for (const [index, line] of linesWithEvents(written).entries()) {
        assert.deepEqual(events[index], { ...events[index], ...line });
      }

      const fromJournal = await open(storage);
      const state = structuredClone(toWire(fromJournal.state));
      // As after a crash: without a snapshot of its own.
      await fromJournal.journal.close();

      await unpack(version.snapshot, path.join(storage, 'snapshots', 'snapshot-000000000400.json'));
      const fromSnapshot = await open(storage);
      assert.deepEqual(fromSnapshot.notes, []);
      assert.deepEqual(JSON.parse(JSON.stringify(toWire(fromSnapshot.state))), JSON.parse(JSON.stringify(state)));
      await fromSnapshot.journal.append([queued('task-new')]);
      await fromSnapshot.close();
      const { state: verdict, head } = await verifyJournal(storage);
      assert.deepEqual([verdict, head.seq], ['whole', 601]);
      assert.ok((await readFile(segment, 'utf8')).startsWith(written));
    });
  }
});

/** The data of each event, without what seals its line. */
function linesWithEvents(text: string): object[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => 'seq' in line)
    .map(({ prev: _prev, sum: _sum, ...data }) => data);
}
