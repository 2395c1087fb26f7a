import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { EventBody } from '../../../src/core/events';
import { FakeClock } from '../../fakes/clock';
import { asEvents, queued, runStarted, sampleDigest } from '../core/sampleEvents';
import { FaultyFiles } from './faultyFile';
import { firstSegment, linesOf, openForTest, reopen } from './journalHarness';
import { newFolder, removeFolders } from './storageFolder';

describe('the journal', () => {
  afterEach(removeFolders);

  it('gives each event its place and its time, and gives the same back after a restart', async () => {
    const folder = await newFolder();
    const clock = new FakeClock(5_000);
    const { journal } = await openForTest(folder, { clock });
    const first = await journal.append([queued('task-a'), queued('task-b')]);
    await clock.advance(1000);
    const second = await journal.append([runStarted('run-1', 'task-a')]);
    await journal.close();

    const expected = [
      ...asEvents([queued('task-a')], 5_000),
      ...asEvents([queued('task-b')], 5_000, 2),
      ...asEvents([runStarted('run-1', 'task-a')], 6_000, 3),
    ];
    assert.deepEqual([...first, ...second], expected);
    assert.deepEqual((await reopen(folder)).replayed, expected);
  });

  it('is a header, and groups of events that a commit line closes; every line seals itself and the one before', async () => {
    const folder = await newFolder();
    const { journal } = await openForTest(folder, { clock: new FakeClock(5_000) });
    await journal.append([
      { kind: 'task.accepting', taskId: 'task-a' },
      { kind: 'task.accepted', taskId: 'task-a' },
    ]);
    await journal.append([{ kind: 'task.discarded', taskId: 'task-a' }]);
    await journal.close();

    let prev = '0'.repeat(64);
    const sealed = (body: string): string => {
      const chained = `${body},"prev":"${prev}"`;
      const line = `${chained},"sum":"${crc32(chained).toString(16).padStart(8, '0')}"}`;
      prev = createHash('sha256').update(line).digest('hex');
      return line;
    };
    assert.deepEqual(await linesOf(folder), [
      sealed('{"airlock":"journal","format":1,"segment":1,"firstSeq":1'),
      sealed('{"seq":1,"atMs":5000,"v":1,"kind":"task.accepting","taskId":"task-a"'),
      sealed('{"seq":2,"atMs":5000,"v":1,"kind":"task.accepted","taskId":"task-a"'),
      sealed('{"commit":2,"events":2'),
      sealed('{"seq":3,"atMs":5000,"v":1,"kind":"task.discarded","taskId":"task-a"'),
      sealed('{"commit":3,"events":1'),
    ]);
  });

  it('is for its owner alone', async () => {
    const folder = `${await newFolder()}/journal`;
    await (await openForTest(folder)).journal.close();
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(firstSegment(folder))).mode & 0o777, 0o600);
  });

  it('writes and syncs once for all appends that wait', async () => {
    const files = new FaultyFiles();
    const { journal, followed } = await openForTest(await newFolder(), { openFile: files.open });
    const ids = Array.from({ length: 50 }, (_, index) => `task-${index}`);
    const answers = await Promise.all(ids.map((id) => journal.append([queued(id)])));
    await journal.close();
    assert.deepEqual([files.writes, files.syncs], [1, 1]);
    assert.deepEqual(
      answers.flat().map((event) => [event.seq, 'taskId' in event && event.taskId]),
      ids.map((id, index) => [index + 1, id]),
    );
    assert.deepEqual(followed, answers.flat());
  });

  it('resolves an append only when it is on disk', async () => {
    const files = new FaultyFiles();
    const { journal, followed } = await openForTest(await newFolder(), { openFile: files.open });
    let openGate = (): void => {};
    files.syncGate = new Promise((resolve) => (openGate = resolve));
    let resolved = false;
    const appended = journal.append([queued('task-a')]).then(() => (resolved = true));
    while (files.syncs === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([resolved, followed.length], [false, 0]);
    openGate();
    await appended;
    assert.equal(followed.length, 1);
    await journal.close();
  });

  it('tells of events before their append resolves', async () => {
    const order: string[] = [];
    const { journal } = await openForTest(await newFolder(), {
      onDurable: (events) => order.push(...events.map((event) => `durable ${event.seq}`)),
    });
    await Promise.all(
      [1, 2].map((number) => journal.append([queued(`task-${number}`)]).then(() => order.push(`resolved ${number}`))),
    );
    await journal.close();
    assert.deepEqual(
      order.filter((entry) => entry.startsWith('durable')),
      ['durable 1', 'durable 2'],
    );
    assert.ok(order.indexOf('durable 1') < order.indexOf('resolved 1'));
    assert.ok(order.indexOf('durable 2') < order.indexOf('resolved 2'));
  });

  it('writes nothing for no events', async () => {
    const folder = await newFolder();
    const { journal } = await openForTest(folder);
    assert.deepEqual(await journal.append([]), []);
    await journal.close();
    assert.equal((await linesOf(folder)).length, 1);
  });

  it('refuses what it could not read back, and goes on', async () => {
    const folder = await newFolder();
    const { journal } = await openForTest(folder);
    const broken: EventBody = {
      kind: 'tool.finished',
      runId: 'run-1',
      callId: 'call-1',
      ok: true,
      output: sampleDigest,
      durationMs: Number.NaN,
    };
    await assert.rejects(journal.append([queued('task-a'), broken]));
    await journal.append([queued('task-b')]);
    await journal.close();
    assert.deepEqual(
      (await reopen(folder)).replayed.map((event) => 'taskId' in event && event.taskId),
      ['task-b'],
    );
  });

  it('keeps every character', async () => {
    const folder = await newFolder();
    const { journal } = await openForTest(folder);
    const title = '\u2028 "a"\\n\u0000 日本 \ud83d\ude00 \ud800';
    const appended = await journal.append([queued('task-a', { title })]);
    await journal.close();
    assert.deepEqual((await reopen(folder)).replayed, appended);
    assert.deepEqual(appended[0], { ...asEvents([queued('task-a', { title })])[0], atMs: appended[0]?.atMs });
  });

  it('writes what waits when it is closed, and takes nothing after that', async () => {
    const folder = await newFolder();
    const { journal } = await openForTest(folder);
    const waiting = journal.append([queued('task-a')]);
    await journal.close();
    assert.equal((await waiting).length, 1);
    await assert.rejects(journal.append([queued('task-b')]), { name: 'UserError', code: 'journal-closed' });
    assert.equal((await reopen(folder)).replayed.length, 1);
  });

  it('goes on over many restarts in one chain', async () => {
    const folder = await newFolder();
    for (let restart = 0; restart < 5; restart += 1) {
      const { journal, replayed } = await openForTest(folder);
      assert.equal(replayed.length, restart);
      await journal.append([queued(`task-${restart}`)]);
      await journal.close();
    }
    assert.deepEqual((await reopen(folder)).notes, []);
  });
});
