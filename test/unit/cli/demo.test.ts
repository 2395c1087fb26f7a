import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepareDemo } from '../../../src/cli/demo/demo';

describe('the sample repository for looking at', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'airlock-prepare-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is made in a folder that need not be there yet', async () => {
    const repository = await prepareDemo(path.join(folder, 'new'));
    assert.equal(repository, path.join(folder, 'new', 'corner-shop'));
    assert.ok(readdirSync(repository).includes('.git'));
  });

  it('takes the place of nothing that is there', async () => {
    const mine = path.join(folder, 'corner-shop');
    mkdirSync(mine);
    writeFileSync(path.join(mine, 'mine.txt'), 'precious');
    await assert.rejects(prepareDemo(folder), { code: 'folder-exists' });
    assert.deepEqual(readdirSync(mine), ['mine.txt']);
  });
});
