import assert from 'node:assert/strict';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { isUserError } from '../../../src/base/errors';
import { droppedSegmentsFile } from '../../../src/store/droppedSegments';
import { encodeHeader, noLineHash, sealLine } from '../../../src/store/journalLine';
import { queued } from '../core/sampleEvents';
import { firstSegment, openForTest, reopen } from './journalHarness';
import { contentOf, newFolder, removeFolders } from './storageFolder';

/** Sealed as ours are: what stands in them is all that is wrong. */
const sealed = fc
  .record(
    {
      seq: fc.oneof(fc.integer(), fc.jsonValue()),
      commit: fc.oneof(fc.integer(), fc.jsonValue()),
      kind: fc.oneof(fc.constant('task.queued'), fc.string()),
      more: fc.dictionary(fc.string(), fc.jsonValue()),
      prev: fc.oneof(fc.constant(noLineHash), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  .map(({ more, prev, ...data }) =>
    sealLine({ ...more, ...data }, typeof prev === 'string' ? prev : JSON.stringify(prev)),
  );
const line = fc.oneof(
  sealed,
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constant(encodeHeader({ segment: 1, firstSeq: 1, prev: noLineHash })),
);
const lines = fc.array(line, { maxLength: 6 }).map((all) => all.map((each) => `${each}\n`).join(''));

describe('a journal, whatever stands in it', function () {
  this.timeout(60_000);
  afterEach(removeFolders);

  /** It is read, or refused with words and left as it is. */
  async function readOrRefused(folder: string): Promise<'read' | 'refused'> {
    const before = await contentOf(folder);
    try {
      await reopen(folder);
      return 'read';
    } catch (error) {
      assert.ok(isUserError(error) && /^journal-(corrupt|newer)$/.test(error.code), String(error));
      assert.deepEqual(await contentOf(folder), before);
      return 'refused';
    }
  }

  it('is read or refused, and loses nothing that was whole', async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.boolean(), async (text, behind) => {
        const folder = await newFolder();
        const { journal } = await openForTest(folder);
        await journal.append([queued('task-a')]);
        await journal.close();
        if (behind) await appendFile(firstSegment(folder), text);
        else await writeFile(firstSegment(folder), text);
        if ((await readOrRefused(folder)) === 'refused' || !behind) return;
        assert.deepEqual(
          (await reopen(folder)).replayed.map(({ seq }) => seq),
          [1],
        );
      }),
      { numRuns: 80 },
    );
  });

  it('is refused when its list of dropped segments is anything else', async () => {
    await fc.assert(
      fc.asyncProperty(lines, async (text) => {
        fc.pre(text !== '');
        const folder = path.join(await newFolder(), 'journal');
        await mkdir(folder);
        await writeFile(droppedSegmentsFile(folder), text);
        assert.equal(await readOrRefused(folder), 'refused');
      }),
      { numRuns: 40 },
    );
  });
});
