import assert from 'node:assert/strict';
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Logger, silentLogger } from '../../../src/base/logger';
import type { SecretSlot } from '../../../src/core/secretSlot';
import { addAnchor, anchorsFile } from '../../../src/store/anchorLines';
import { backUp, restore } from '../../../src/store/backup';
import { openStore, type OpenStoreOptions, type Store } from '../../../src/store/store';
import { verifyJournal } from '../../../src/store/verifyJournal';
import { FakeClock } from '../../fakes/clock';
import { queued } from '../core/sampleEvents';
import { newFolder, removeFolders } from './storageFolder';

/** A place outside of the storage. */
class Slot implements SecretSlot {
  text: string | undefined;
  writes = 0;
  read(): Promise<string | undefined> {
    return Promise.resolve(this.text);
  }
  write(text: string): Promise<void> {
    this.writes += 1;
    this.text = text;
    return Promise.resolve();
  }
}

const start = '2026-01-05T12:00:00.000Z';

describe('anchored heads of a journal', () => {
  let top: string;
  let storage: string;
  let slot: Slot;
  let told: string[];
  const inTop = (name: string): string => path.join(top, name);

  beforeEach(async () => {
    top = await newFolder();
    storage = inTop('storage');
    slot = new Slot();
    told = [];
  });
  afterEach(removeFolders);

  function open(options: Partial<OpenStoreOptions> = {}): Promise<Store> {
    const clock = new FakeClock(Date.parse(start));
    const anchoring = { anchorSlot: slot, onBrokenAnchor: (message: string) => void told.push(message) };
    return openStore({ storage, clock, logger: silentLogger, eventsBetweenSnapshots: 1000, ...anchoring, ...options });
  }

  /** Each name is an event, and they end in order. */
  async function use(...names: string[]): Promise<void> {
    const store = await open();
    for (const name of names) await store.journal.append([queued(name)]);
    await store.close();
  }

  const verdict = async (): Promise<unknown> => {
    const { state, through, problem, earlier } = (await verifyJournal(storage, slot)).anchors;
    return { state, through: through?.seq ?? null, problem, earlier: earlier.map(({ seq }) => seq) };
  };
  const held = (through: number) => ({ state: 'hold', through, problem: null, earlier: [] });

  it('hold while nothing is changed, from one process to the next', async () => {
    await use('task-1', 'task-2');
    assert.deepEqual(await verdict(), held(2));
    await use();
    await use('task-3');
    assert.deepEqual([await verdict(), told], [held(3), []]);
    assert.equal((await readFile(anchorsFile(storage), 'utf8')).trim().split('\n').length, 2);
    // The storage has nothing with which one could be made.
    const key = String((JSON.parse(slot.text ?? '') as { key: string }).key);
    assert.ok(!(await readFile(anchorsFile(storage), 'utf8')).includes(key));
  });

  it('are made with snapshots and at the end, and not with each event', async () => {
    const store = await open({ eventsBetweenSnapshots: 4 });
    for (let number = 0; number < 10; number += 1) await store.journal.append([queued(`task-${number}`)]);
    await store.close();
    assert.ok(slot.writes <= 5, `${slot.writes} writes`);
    assert.deepEqual(await verdict(), held(10));
  });

  it('show a journal that was cut back at a commit line, with its snapshots and anchors', async () => {
    await use('task-1');
    await cp(storage, inTop('copy'), { recursive: true });
    await use('task-2', 'task-3');
    await rm(storage, { recursive: true });
    await cp(inTop('copy'), storage, { recursive: true });
    const problem = `The journal was cut back: it ends with event 1, and event 3 was anchored on ${start}. Up to event 1 it is as it was anchored.`;
    assert.deepEqual(await verdict(), { state: 'broken', through: 1, problem, earlier: [] });
    // The next start says so, and goes on; that it was found stays written down.
    await use('task-other');
    assert.match(told.join(), /cut back or rewritten: event 3, which was anchored on 2026-01-05/);
    assert.deepEqual(await verdict(), { ...held(2), earlier: [3] });
  });

  it('show a journal that was written anew with hashes that fit', async () => {
    await use('task-1');
    const forger = new Slot();
    await use('task-2', 'task-3');
    const anchors = await readFile(anchorsFile(storage));
    await rm(storage, { recursive: true });
    const mine = slot;
    slot = forger;
    await use('task-1', 'task-x', 'task-3', 'task-4');
    slot = mine;
    await writeFile(anchorsFile(storage), anchors);
    const { state, problem } = (await verifyJournal(storage, slot)).anchors;
    assert.equal(state, 'broken');
    assert.match(problem ?? '', /rewritten: event 3 is not the one that was anchored/);
    await use();
    assert.match(told.join(), /event 3, which was anchored/);
  });

  it('show when their own file is gone, cut or changed', async () => {
    await use('task-1');
    await use('task-2');
    const file = anchorsFile(storage);
    const text = await readFile(file, 'utf8');
    const [first = '', second = ''] = text.split('\n');
    const problems: unknown[] = [];
    for (const bytes of [`${first}\n`, `${second}\n`, text.replace('"seq":1', '"seq":7'), `${text}nonsense\n`]) {
      await writeFile(file, bytes);
      problems.push((await verifyJournal(storage, slot)).anchors.problem);
    }
    await rm(file);
    problems.push((await verifyJournal(storage, slot)).anchors.problem);
    const cut = 'journal/anchors.jsonl was cut back: event 2 was anchored, and it has nothing of that.';
    const changed = '1 of the lines in journal/anchors.jsonl are not as they were written.';
    assert.deepEqual(problems, [cut, null, changed, changed, cut]);
  });

  it('are looked at with each start, which says once what is wrong with their file', async () => {
    await use('task-1');
    await use('task-2');
    await rm(anchorsFile(storage));
    await use();
    await use();
    assert.match(told.splice(0).join('|'), /^journal\/anchors\.jsonl was cut back: event 2 [^|]*$/);
    await use('task-3');
    await appendFile(anchorsFile(storage), 'nonsense\n');
    await use('task-4');
    await use('task-5');
    const changed = '1 of the lines in journal/anchors.jsonl are not as they were written.';
    assert.deepEqual(told, [`${changed} The journal itself has what was anchored last.`]);
    // The anchors that came since have not covered it up.
    assert.deepEqual((await verifyJournal(storage, slot)).anchors.problem, changed);
  });

  it('may be pushed out by those of another key, which is nothing wrong', async () => {
    await use('task-1');
    const { head } = await verifyJournal(storage);
    for (let count = 0; count < 400; count += 1) {
      await addAnchor(storage, Buffer.alloc(32), { head, atMs: count, lostSeq: null });
    }
    assert.deepEqual(await verdict(), held(1));
    await use('task-2');
    assert.deepEqual([await verdict(), told], [held(2), []]);
  });

  it('cannot be checked without their key, and say so', async () => {
    await use('task-1');
    const { state, otherKeys } = (await verifyJournal(storage, new Slot())).anchors;
    assert.deepEqual({ state, otherKeys }, { state: 'none', otherKeys: 1 });
    slot = new Slot();
    await use('task-2');
    assert.deepEqual((await verifyJournal(storage, slot)).anchors.otherKeys, 1);
    assert.deepEqual(told, []);
  });

  it('stand in nobody’s way when the key cannot be had', async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
    const anchorSlot: SecretSlot = {
      read: () => Promise.reject(new Error('no keyring')),
      write: () => Promise.reject(new Error('no keyring')),
    };
    const store = await open({ anchorSlot, logger });
    await store.journal.append([queued('task-1')]);
    await store.close();
    assert.deepEqual(warnings, ['The journal could not be anchored', 'The journal could not be anchored']);
    assert.equal((await verifyJournal(storage)).head.seq, 1);
  });

  it('are taken into a backup, and a restore by the user is nothing wrong', async () => {
    await use('task-1');
    await backUp(storage, inTop('backup'));
    await use('task-2');
    await rm(storage, { recursive: true });
    await restore(inTop('backup'), storage, slot);
    assert.deepEqual(await verdict(), held(1));
    await use('task-3');
    assert.deepEqual([await verdict(), told], [held(2), []]);
  });

  it('hold when a process was killed between the anchor and what is kept beside the key', async () => {
    await use('task-1');
    const before = slot.text;
    await use('task-2');
    slot.text = before;
    assert.deepEqual(await verdict(), held(2));
    await use('task-3');
    assert.deepEqual([await verdict(), told], [held(3), []]);
  });
});
