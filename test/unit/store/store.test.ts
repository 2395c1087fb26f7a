import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { silentLogger } from '../../../src/base/logger';
import type { AirlockEvent } from '../../../src/core/events';
import { applyEvent } from '../../../src/core/fold';
import { emptyState } from '../../../src/core/liveState';
import { openStore, type OpenStoreOptions, type Store } from '../../../src/store/store';
import { FakeClock } from '../../fakes/clock';
import { eventBody } from '../core/arbitraryEvents';
import { queued } from '../core/sampleEvents';
import { FaultyFiles, systemError } from './faultyFile';
import { newFolder, removeFolders } from './storageFolder';

function open(storage: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
  return openStore({ storage, clock: new FakeClock(), logger: silentLogger, ...options });
}

async function snapshotsIn(storage: string): Promise<string[]> {
  return (await readdir(path.join(storage, 'snapshots'))).sort();
}

/** Waits until the folder of snapshots is as it must be; they are written beside the appends. */
async function untilSnapshots(storage: string, expected: readonly string[]): Promise<void> {
  while (JSON.stringify(await snapshotsIn(storage)) !== JSON.stringify(expected)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the store', () => {
  afterEach(removeFolders);

  it('comes back after a restart as it was, whatever happened, from the journal and from its snapshots', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(eventBody, { minLength: 1, maxLength: 6 }), { maxLength: 8 }),
        fc.constantFrom(1, 3, 1000),
        fc.boolean(),
        async (groups, eventsBetweenSnapshots, orderly) => {
          const storage = await newFolder();
          const first = await open(storage, { eventsBetweenSnapshots });
          await Promise.all(groups.map((group) => first.journal.append(group)));
          const before = structuredClone(first.state);
          await first.close();
          if (!orderly) await rm(path.join(storage, 'snapshots'), { recursive: true });
          const second = await open(storage);
          assert.deepEqual(second.state, before);
          assert.deepEqual(second.notes, []);
          await second.close();
          await rm(storage, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('applies events to the state and tells of them before their append resolves', async () => {
    const store = await open(await newFolder());
    const seen: [readonly AirlockEvent[], number, number][] = [];
    store.onDidAppend((events) => seen.push([events, store.state.seq, store.state.tasks.size]));
    const answers = await Promise.all([
      store.journal.append([queued('task-a'), queued('task-b')]),
      store.journal.append([queued('task-c')]),
    ]);
    assert.deepEqual(seen, [
      [answers[0], 2, 2],
      [answers[1], 3, 3],
    ]);
    await store.close();
  });

  it('goes on when a listener throws', async () => {
    const store = await open(await newFolder());
    store.onDidAppend(() => {
      throw new Error('a bad listener');
    });
    await store.journal.append([queued('task-a')]);
    assert.equal(store.state.tasks.size, 1);
    await store.close();
  });

  it('changes nothing of the state for what was not kept', async () => {
    const files = new FaultyFiles();
    const store = await open(await newFolder(), { openFile: files.open });
    // More often than there are pieces of the reserve.
    files.faults.failedWrites = Array.from({ length: 6 }, () => ({ error: systemError('ENOSPC'), bytes: 10 }));
    await assert.rejects(store.journal.append([queued('task-a')]), { code: 'disk-full' });
    assert.deepEqual(store.state, emptyState());
    await store.close();
  });

  it('writes a snapshot now and then, and one when it is closed', async () => {
    const storage = await newFolder();
    const store = await open(storage, { eventsBetweenSnapshots: 3 });
    for (let number = 1; number <= 4; number += 1) await store.journal.append([queued(`task-${number}`)]);
    await untilSnapshots(storage, ['snapshot-000000000003.json']);
    await store.close();
    assert.deepEqual(await snapshotsIn(storage), ['snapshot-000000000003.json', 'snapshot-000000000004.json']);
  });

  it('writes no snapshot when nothing was appended', async () => {
    const storage = await newFolder();
    await (await open(storage)).close();
    assert.deepEqual(await snapshotsIn(storage), []);
  });

  it('replays only what follows the newest snapshot, and says when that one is damaged', async () => {
    const storage = await newFolder();
    for (const id of ['task-a', 'task-b']) {
      const store = await open(storage);
      await store.journal.append([queued(id)]);
      await store.close();
    }
    const expected = emptyState();
    const whole = await open(storage);
    for (const [id, task] of whole.state.tasks) expected.tasks.set(id, task);
    expected.seq = 2;
    await whole.close();

    await writeFile(path.join(storage, 'snapshots', 'snapshot-000000000002.json'), 'nonsense');
    const fallenBack = await open(storage);
    assert.deepEqual([fallenBack.state, fallenBack.notes.length], [expected, 1]);
    await fallenBack.close();
  });

  it('refuses a journal that has lost what a snapshot knows of', async () => {
    const storage = await newFolder();
    const store = await open(storage);
    await store.journal.append([queued('task-a')]);
    await store.journal.append([queued('task-b')]);
    await store.close();
    const segment = path.join(storage, 'journal', '000001.jsonl');
    const bytes = await readFile(segment);

    await truncate(segment, bytes.length - 200);
    await assert.rejects(open(storage), {
      code: 'journal-corrupt',
      message: /no longer holds what was written up to event 2/,
    });
    const changed = Buffer.from(bytes);
    changed[bytes.length - 30] = 0x58;
    await writeFile(segment, changed);
    await assert.rejects(open(storage), { code: 'journal-corrupt' });
    await rm(segment);
    await assert.rejects(open(storage), { code: 'journal-corrupt', message: /the segment is missing/ });
    await writeFile(segment, bytes);
    await (await open(storage)).close();
  });

  it('goes on without a snapshot that cannot be written', async () => {
    const storage = await newFolder();
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) };
    const store = await open(storage, { eventsBetweenSnapshots: 1, logger });
    await rm(path.join(storage, 'snapshots'), { recursive: true });
    await writeFile(path.join(storage, 'snapshots'), 'in the way');
    await store.journal.append([queued('task-a')]);
    await store.journal.append([queued('task-b')]);
    await store.close();
    assert.ok(warnings.length > 0 && warnings.every((warning) => warning === 'A snapshot could not be written'));
    await rm(path.join(storage, 'snapshots'));
    const again = await open(storage);
    assert.equal(again.state.tasks.size, 2);
    await again.close();
  });

  it('may be closed twice', async () => {
    const store = await open(await newFolder());
    await Promise.all([store.close(), store.close()]);
  });

  it('has a state that is the fold of what onDidAppend told', async () => {
    const store = await open(await newFolder());
    const told: AirlockEvent[] = [];
    store.onDidAppend((events) => told.push(...events));
    await fc.assert(
      fc.asyncProperty(fc.array(eventBody, { minLength: 1, maxLength: 10 }), async (bodies) => {
        await store.journal.append(bodies);
        const folded = emptyState();
        for (const event of told) applyEvent(folded, event);
        assert.deepEqual(store.state, folded);
      }),
      { numRuns: 20 },
    );
    await store.close();
  });
});
