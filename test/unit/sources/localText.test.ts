import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readLocalText, replaceLocalText } from '../../../src/sources/localText';

describe('a text file of a repository', () => {
  let root: string;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'airlock-text-')));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('is read as it was at one moment, however often it is replaced meanwhile', async () => {
    const file = path.join(root, 'table.md');
    const versions = ['a', 'b'].map((letter) => `${letter.repeat(100_000)}\n`);
    writeFileSync(file, versions[0] ?? '');
    let reading = true;
    const replacing = (async () => {
      for (let round = 1; reading; round += 1) {
        await replaceLocalText(file, versions[round % 2] ?? '', await readLocalText(root, file, 200_000));
      }
      return 'replaced to the end';
    })();
    for (let reads = 0; reads < 300; reads += 1) {
      const { text } = await readLocalText(root, file, 200_000);
      assert.ok(versions.includes(text), text.slice(0, 10));
    }
    reading = false;
    assert.equal(await replacing, 'replaced to the end');
  });
});
