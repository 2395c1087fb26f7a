import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { recordedEnd } from '../../../src/executor/recordedEnd';

describe('the end of a recording', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'airlock-recorded-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const record = (name: string, lines: readonly unknown[], rest = ''): Promise<void> =>
    writeFile(path.join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join('') + rest);

  it('is what it showed, without sizes, header and a line that is torn', async () => {
    await record(
      'session.cast',
      [{ version: 2 }, [0.1, 'o', 'a\r\n'], [0.2, 'r', '80x24'], [0.3, 'o', 'b']],
      '[0.4, "o',
    );
    assert.equal(await recordedEnd(folder), 'a\r\nb');
  });

  it('is that of the newest one', async () => {
    await record('session-2.cast', [[1, 'o', 'newer']]);
    await record('session.cast', [[1, 'o', 'older']]);
    await utimes(path.join(folder, 'session.cast'), 1, 1);
    assert.equal(await recordedEnd(folder), 'newer');
  });

  it('is bounded, however long the recording is', async () => {
    await record('session.cast', [...Array.from({ length: 20_000 }, () => [1, 'o', 'x'.repeat(100)]), [2, 'o', 'end']]);
    const end = (await recordedEnd(folder)) ?? '';
    assert.ok(end.endsWith('xend') && end.length < 512 * 1024, String(end.length));
  });

  it('is not there when there is no recording', async () => {
    assert.equal(await recordedEnd(folder), undefined);
    assert.equal(await recordedEnd(path.join(folder, 'gone')), undefined);
  });
});
