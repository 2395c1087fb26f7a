import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import type { AirlockEvent } from '../../../src/core/events';
import type { EventVersions } from '../../../src/store/eventLifting';
import { knownVersions } from '../../../src/store/eventLifting';
import { encodeCommit, encodeEvent, encodeHeader, hashOf, noLineHash } from '../../../src/store/journalLine';
import { createSegment } from '../../../src/store/segments';
import { FakeClock } from '../../fakes/clock';
import { asEvents, queued } from '../core/sampleEvents';
import { firstSegment, linesOf, openForTest, reopen } from './journalHarness';
import { contentOf, newFolder, removeFolders } from './storageFolder';

/** A journal of three groups; answers its folder, its bytes, and where each group ends. */
async function threeGroups(): Promise<{ folder: string; bytes: Buffer; ends: number[]; events: AirlockEvent[] }> {
  const folder = await newFolder();
  const { journal, followed } = await openForTest(folder);
  const ends: number[] = [journal.position.offset];
  for (const group of [
    [queued('task-a'), { kind: 'task.accepting', taskId: 'task-a' } as const],
    [{ kind: 'task.accepted', taskId: 'task-a' } as const],
    [{ kind: 'run.resumed', runId: 'run-1' } as const, { kind: 'task.discarded', taskId: 'task-a' } as const],
  ]) {
    await journal.append(group);
    ends.push(journal.position.offset);
  }
  await journal.close();
  return { folder, bytes: await readFile(firstSegment(folder)), ends, events: [...followed] };
}

/** Every fifth place from `first`, and from `dense` on every one, up to `last`. */
function offsets(first: number, last: number, dense: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
    (offset) => offset >= dense || offset % 5 === 0,
  );
}

/** A folder with one segment of these bytes. */
async function folderWith(bytes: Uint8Array | string): Promise<string> {
  const folder = await newFolder();
  await writeFile(firstSegment(folder), bytes);
  return folder;
}

async function assertRefused(folder: string, code: string, message: RegExp): Promise<void> {
  const before = await contentOf(folder);
  await assert.rejects(reopen(folder), { name: 'UserError', code, message });
  assert.deepEqual(await contentOf(folder), before);
}

describe('the journal after a crash', () => {
  afterEach(removeFolders);

  it('ends with the last whole group, wherever the write was cut, and keeps the rest aside', async function () {
    this.timeout(60_000);
    const { bytes, ends, events } = await threeGroups();
    const [headerEnd = 0] = ends;
    for (const cut of offsets(headerEnd, bytes.length, ends[1] ?? 0)) {
      const folder = await folderWith(bytes.subarray(0, cut));
      const { replayed, notes } = await reopen(folder);
      const wholeEnd = Math.max(...ends.filter((end) => end <= cut));
      const wholeEvents = [0, 2, 3, 5][ends.indexOf(wholeEnd)] ?? 0;
      assert.deepEqual(replayed, events.slice(0, wholeEvents), `cut at ${cut}`);
      assert.equal(notes.length, cut === wholeEnd ? 0 : 1, `cut at ${cut}`);
      const aside = (await readdir(folder)).filter((name) => name.includes('torn'));
      const kept = await Promise.all(aside.map((name) => readFile(path.join(folder, name))));
      assert.deepEqual(Buffer.concat(kept), bytes.subarray(wholeEnd, cut));
      assert.deepEqual(await readFile(firstSegment(folder)), bytes.subarray(0, wholeEnd));
      await rm(folder, { recursive: true });
    }
  });

  it('says what was put aside, and where', async () => {
    const { bytes, ends } = await threeGroups();
    const folder = await folderWith(bytes.subarray(0, (ends[2] ?? 0) + 10));
    const { notes } = await reopen(folder, { clock: new FakeClock(Date.UTC(2026, 0, 5, 12)) });
    const aside = path.join(folder, '000001.torn-20260105T120000Z');
    assert.deepEqual(notes, [
      'The journal ended in the middle of a write, as after a crash: the last 10 bytes, which nobody had been promised, ' +
        `were moved to ${aside}. Everything up to event 3 is there.`,
    ]);
    assert.deepEqual(await readFile(aside), bytes.subarray(ends[2], (ends[2] ?? 0) + 10));
  });

  it('never writes over what an earlier crash left', async () => {
    const { bytes, ends } = await threeGroups();
    const folder = await folderWith(bytes.subarray(0, ends[2]));
    for (const rest of ['{"a', '{"b']) {
      await appendFile(firstSegment(folder), rest);
      await reopen(folder);
    }
    const aside = (await readdir(folder)).filter((name) => name.includes('torn')).sort();
    assert.deepEqual(await Promise.all(aside.map((name) => readFile(path.join(folder, name), 'utf8'))), ['{"a', '{"b']);
  });

  it('goes on behind the last whole group', async () => {
    const { bytes, events } = await threeGroups();
    const folder = await folderWith(bytes.subarray(0, -20));
    const { journal } = await openForTest(folder);
    const [added] = await journal.append([queued('task-c')]);
    await journal.close();
    assert.equal(added?.seq, 4);
    assert.deepEqual((await reopen(folder)).replayed, [...events.slice(0, 3), added]);
  });

  it('passes over what something else wrote behind the last whole group', async () => {
    const { bytes, events } = await threeGroups();
    const folder = await folderWith(Buffer.concat([bytes, Buffer.from('no line of ours\n')]));
    const { replayed, notes } = await reopen(folder);
    assert.deepEqual([replayed.length, notes.length], [events.length, 1]);
  });

  it('takes blocks that were never written for the end of a write', async () => {
    const { bytes, ends, events } = await threeGroups();
    const [, , second = 0] = ends;
    const tailOfZeros = Buffer.concat([bytes.subarray(0, second), Buffer.alloc(4096)]);
    assert.deepEqual((await reopen(await folderWith(tailOfZeros))).replayed, events.slice(0, 3));
    const hole = Buffer.from(bytes);
    hole.fill(0, second + 5, second + 105);
    assert.deepEqual((await reopen(await folderWith(hole))).replayed, events.slice(0, 3));
  });
});

describe('a damaged journal', () => {
  afterEach(removeFolders);

  it('is refused for any byte that is not as it was, and nothing is changed', async function () {
    this.timeout(60_000);
    const { bytes, ends } = await threeGroups();
    const folder = await newFolder();
    for (const at of offsets(0, bytes.length - 1, ends[2] ?? 0)) {
      // One bit, and for a third of them the newline, which makes one line of two or two of one.
      const damaged = Buffer.from(bytes);
      damaged[at] = at % 3 === 0 && bytes[at] !== 0x0a ? 0x0a : (bytes[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(firstSegment(folder), damaged);
      await assert.rejects(reopen(folder), { name: 'UserError', code: 'journal-corrupt' }, `byte ${at}`);
      assert.deepEqual(await readFile(firstSegment(folder)), damaged);
    }
    assert.deepEqual(await readdir(folder), ['000001.jsonl']);
  });

  it('is refused for any line that is missing, doubled or moved', async () => {
    const { folder } = await threeGroups();
    const lines = await linesOf(folder);
    const last = lines.length - 1;
    const indexes = fc.integer({ min: 0, max: last });
    await fc.assert(
      fc.asyncProperty(indexes, indexes, fc.constantFrom('drop', 'double', 'swap'), async (from, to, how) => {
        const changed = [...lines];
        if (how === 'swap') [changed[from], changed[to]] = [lines[to] ?? '', lines[from] ?? ''];
        else changed.splice(from, 1, ...(how === 'drop' ? [] : [lines[from] ?? '', lines[from] ?? '']));
        // What is cut from the end only looks like a crash.
        fc.pre(lines.join('\n') !== changed.join('\n') && !(how === 'drop' && from === last));
        const other = await folderWith(changed.map((line) => `${line}\n`).join(''));
        await assert.rejects(reopen(other), { code: 'journal-corrupt' });
      }),
      { numRuns: 60 },
    );
  });

  it('says which file, which line and what to do', async () => {
    const { folder, bytes, ends } = await threeGroups();
    const damaged = Buffer.from(bytes);
    damaged[(ends[1] ?? 0) + 30] = 0x58;
    await writeFile(firstSegment(folder), damaged);
    const file = firstSegment(folder);
    await assert.rejects(reopen(folder), {
      code: 'journal-corrupt',
      message:
        `The journal is damaged: ${file}, line 5: its checksum does not match: it was changed or damaged after it was ` +
        `written. Nothing was changed and nothing was started. Put ${folder} back from a backup, or move its parent folder ` +
        'away to begin with an empty queue; results that were published are safe as branches of their repositories.',
      facts: { file, line: 5, offset: ends[1] },
    });
  });

  it('is refused when whole lines were forged with right checksums', async () => {
    const { folder } = await threeGroups();
    const lines = await linesOf(folder);
    const forged = encodeEvent(
      { seq: 3, atMs: 1, v: 1, kind: 'queue.changed', mode: 'running', by: 'x' },
      'f'.repeat(64),
    );
    lines[4] = forged;
    await writeFile(firstSegment(folder), lines.map((line) => `${line}\n`).join(''));
    await assertRefused(folder, 'journal-corrupt', /line 5: it does not follow the line before it/);
  });

  it('is refused when a line is sound and is no event of its kind', async () => {
    const header = encodeHeader({ segment: 1, firstSeq: 1, prev: noLineHash });
    const event = encodeEvent(
      { seq: 1, atMs: 1, v: 1, kind: 'queue.changed', mode: 'flying', by: 'x' },
      hashOf(header),
    );
    const folder = await folderWith([header, event, encodeCommit(1, 1, hashOf(event)), ''].join('\n'));
    await assertRefused(folder, 'journal-corrupt', /line 2: it is no queue\.changed \(mode: /);
  });

  it('is refused when it is empty or its header is not whole', async () => {
    await assertRefused(await folderWith(''), 'journal-corrupt', /its header is missing/);
    await assertRefused(await folderWith('{"airlock":"jour'), 'journal-corrupt', /checksum/);
  });
});

describe('a journal of a newer version', () => {
  afterEach(removeFolders);

  async function folderWithEvent(kind: string, v: number): Promise<string> {
    const header = encodeHeader({ segment: 1, firstSeq: 1, prev: noLineHash });
    const event = encodeEvent({ seq: 1, atMs: 1, v, kind, taskId: 'task-a' }, hashOf(header));
    return folderWith([header, event, encodeCommit(1, 1, hashOf(event)), ''].join('\n'));
  }

  it('is refused for an event of a newer version', async () => {
    await assertRefused(await folderWithEvent('task.accepted', 2), 'journal-newer', /task\.accepted in version 2/);
  });

  it('is refused for a kind of event that is not known', async () => {
    await assertRefused(await folderWithEvent('task.dreamt', 1), 'journal-newer', /task\.dreamt in version 1/);
  });

  it('is refused for a newer format of the file', async () => {
    const { folder } = await threeGroups();
    const lines = await linesOf(folder);
    const body = `${(lines[0] ?? '').slice(0, -18).replace('"format":1', '"format":2')}`;
    const { crc32 } = await import('node:zlib');
    lines[0] = `${body},"sum":"${crc32(body).toString(16).padStart(8, '0')}"}`;
    await writeFile(firstSegment(folder), lines.map((line) => `${line}\n`).join(''));
    await assertRefused(folder, 'journal-newer', /format 2, this version knows 1/);
  });
});

describe('events of an older version', () => {
  afterEach(removeFolders);

  it('are lifted step by step as they are read, and stay as they are in the file', async () => {
    const header = encodeHeader({ segment: 1, firstSeq: 1, prev: noLineHash });
    const old = encodeEvent({ seq: 1, atMs: 7, v: 1, kind: 'task.accepted', id: 'task-a' }, hashOf(header));
    const folder = await folderWith([header, old, encodeCommit(1, 1, hashOf(old)), ''].join('\n'));
    const before = await contentOf(folder);
    const versions: EventVersions = {
      current: (kind) => (kind === 'task.accepted' ? 3 : knownVersions.current(kind)),
      lifts: {
        'task.accepted': {
          1: ({ id }) => ({ name: id }),
          2: ({ name }) => ({ taskId: name }),
        },
      },
    };
    const { replayed } = await reopen(folder, { versions });
    assert.deepEqual(replayed, [{ seq: 1, atMs: 7, v: 3, kind: 'task.accepted', taskId: 'task-a' }]);
    assert.deepEqual(await contentOf(folder), before);
  });
});

describe('a journal of several segments', () => {
  afterEach(removeFolders);

  /** Two segments: what the first holds, and one event in the second. */
  async function twoSegments(): Promise<{ folder: string; events: AirlockEvent[] }> {
    const { folder, events } = await threeGroups();
    const { journal } = await openForTest(folder);
    await createSegment(folder, 2, journal.position);
    await journal.close();
    const second = await openForTest(folder);
    await second.journal.append([queued('task-z')]);
    await second.journal.close();
    return { folder, events: [...events, ...second.followed] };
  }

  it('is read as one, and the last one is written to', async () => {
    const { folder, events } = await twoSegments();
    assert.deepEqual((await reopen(folder)).replayed, events);
    assert.equal(
      (await linesOf(folder)).some((line) => line.includes('task-z')),
      false,
    );
    assert.equal(events.at(-1)?.seq, 6);
  });

  it('is refused when one is missing, cut or not the one that follows', async () => {
    const { folder } = await twoSegments();
    const second = path.join(folder, '000002.jsonl');
    const kept = await readFile(firstSegment(folder));

    await writeFile(firstSegment(folder), kept.subarray(0, -5));
    await assertRefused(folder, 'journal-corrupt', /its last group is not whole, and a later segment follows/);
    await writeFile(firstSegment(folder), kept);

    const elsewhere = path.join(await newFolder(), 'kept');
    await rename(firstSegment(folder), elsewhere);
    await assertRefused(
      folder,
      'journal-corrupt',
      /000001\.jsonl, line 1: segments 1 to 1 are missing, and nothing says that they were dropped/,
    );
    await rename(elsewhere, firstSegment(folder));

    await copyFile(second, path.join(folder, '000003.jsonl'));
    await assertRefused(folder, 'journal-corrupt', /000003\.jsonl, line 1: it does not follow the line before it/);
  });

  it('passes over files that are none of its own', async () => {
    const { folder, events } = await twoSegments();
    await writeFile(path.join(folder, 'notes.txt'), 'mine');
    await mkdir(path.join(folder, 'old'));
    assert.deepEqual((await reopen(folder)).replayed, events);
  });
});

describe('times in the journal', () => {
  afterEach(removeFolders);

  it('are what the clock said, though it may jump back', async () => {
    const folder = await newFolder();
    const clock = new FakeClock(50_000);
    const { journal } = await openForTest(folder, { clock });
    await journal.append([queued('task-a')]);
    clock.jump(-40_000);
    await journal.append([queued('task-b')]);
    await journal.close();
    assert.deepEqual((await reopen(folder)).replayed, [
      ...asEvents([queued('task-a')], 50_000),
      ...asEvents([queued('task-b')], 10_000, 2),
    ]);
  });
});
