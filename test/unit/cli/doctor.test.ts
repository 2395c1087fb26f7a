import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { diskFinding } from '../../../src/cli/doctor';

describe('what doctor says of the storage', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'airlock-doctor-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is not bad for a folder of the user, made when it is not there', async () => {
    assert.notEqual((await diskFinding(path.join(folder, 'new', 'storage'))).state, 'bad');
  });

  it('is bad for a folder of another user, which would be refused', async function () {
    // Only root can give a folder away.
    if (process.getuid?.() !== 0) return this.skip();
    chownSync(folder, 65_534, 65_534);
    assert.deepEqual(await diskFinding(folder), {
      what: 'disk',
      state: 'bad',
      seen: `${folder} belongs to another user`,
      fix: 'Choose a folder that you may write to with --storage.',
    });
  });
});
