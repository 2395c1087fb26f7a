import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openBlobFolder } from '../../../src/store/blobFolder';
import { newFolder, removeFolders } from './storageFolder';

function digestOf(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function fileOf(folder: string, digest: string): string {
  return path.join(folder, digest.slice(0, 2), digest);
}

describe('blobs', () => {
  afterEach(removeFolders);

  it('are files that are named by the digest of their bytes, for their owner alone', async () => {
    const folder = await newFolder();
    const blobs = await openBlobFolder(folder);
    const digest = await blobs.put('a prompt');
    assert.equal(digest, digestOf('a prompt'));
    assert.equal(await readFile(fileOf(folder, digest), 'utf8'), 'a prompt');
    assert.equal((await stat(fileOf(folder, digest))).mode & 0o777, 0o600);
    assert.equal((await stat(path.dirname(fileOf(folder, digest)))).mode & 0o777, 0o700);
  });

  it('give back the same bytes, text or not, empty or large, after a restart too', async () => {
    const folder = await newFolder();
    const contents = [Buffer.alloc(0), Buffer.from('日本\u0000\n'), randomBytes(3_000_000)];
    const earlier = await openBlobFolder(folder);
    const digests = await Promise.all(contents.map((bytes) => earlier.put(bytes)));
    const blobs = await openBlobFolder(folder);
    for (const [index, digest] of digests.entries()) {
      assert.deepEqual(Buffer.from((await blobs.get(digest)) ?? 'gone'), contents[index]);
    }
  });

  it('are stored once, however often and however many at a time', async () => {
    const folder = await newFolder();
    const blobs = await openBlobFolder(folder);
    const digests = await Promise.all(Array.from({ length: 20 }, () => blobs.put('again')));
    assert.deepEqual(new Set(digests), new Set([digestOf('again')]));
    const { ino } = await stat(fileOf(folder, digestOf('again')));
    await blobs.put('again');
    assert.equal((await stat(fileOf(folder, digestOf('again')))).ino, ino);
  });

  it('are undefined when they were never there, whatever is asked for', async () => {
    const folder = await newFolder();
    const blobs = await openBlobFolder(path.join(folder, 'blobs'));
    await writeFile(path.join(folder, 'secret'), 'secret');
    const asked = [digestOf('nobody'), '', '../secret', '../../secret', 'A'.repeat(64), `${'a'.repeat(62)}/..`];
    assert.deepEqual(
      await Promise.all(asked.map((digest) => blobs.get(digest))),
      asked.map(() => undefined),
    );
  });

  it('are refused when their bytes are not what was stored, and mended when they are put again', async () => {
    const folder = await newFolder();
    const blobs = await openBlobFolder(folder);
    const digest = await blobs.put('what was said');
    await writeFile(fileOf(folder, digest), 'what was sold');
    await assert.rejects(blobs.get(digest), {
      name: 'UserError',
      code: 'blob-corrupt',
      facts: { file: fileOf(folder, digest) },
    });
    await blobs.put('what was said');
    assert.equal(Buffer.from((await blobs.get(digest)) ?? '').toString(), 'what was said');
    await truncate(fileOf(folder, digest), 4);
    await assert.rejects(blobs.get(digest), { code: 'blob-corrupt' });
    await blobs.put('what was said');
    assert.equal(Buffer.from((await blobs.get(digest)) ?? '').toString(), 'what was said');
  });

  it('are gone when they are deleted, and may be put again', async () => {
    const blobs = await openBlobFolder(await newFolder());
    const digest = await blobs.put('private');
    await blobs.delete(digest);
    await blobs.delete(digest);
    assert.equal(await blobs.get(digest), undefined);
    await blobs.put('private');
    assert.equal(Buffer.from((await blobs.get(digest)) ?? '').toString(), 'private');
  });

  it('that an earlier process left half written are removed', async () => {
    const folder = await newFolder();
    await mkdir(path.join(folder, 'tmp'), { recursive: true });
    await writeFile(path.join(folder, 'tmp', 'blob-old'), 'half');
    await openBlobFolder(folder);
    assert.deepEqual(await readdir(path.join(folder, 'tmp')), []);
  });

  it('that have no room are refused and leave nothing behind', async function () {
    const folder = await newFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status !== 0) {
      process.stdout.write('    SKIPPED: a small tmpfs cannot be mounted here (this needs root)\n');
      this.skip();
    }
    try {
      const blobs = await openBlobFolder(folder);
      await assert.rejects(blobs.put(Buffer.alloc(200_000)), { name: 'UserError', code: 'disk-full' });
      assert.deepEqual(await readdir(path.join(folder, 'tmp')), []);
      assert.equal(await blobs.put('small'), digestOf('small'));
    } finally {
      spawnSync('umount', [folder]);
    }
  });

  it('that nobody needs are deleted when they are old enough, and putting one again makes it new', async () => {
    const folder = await newFolder();
    const blobs = await openBlobFolder(folder);
    const [needed, old, again, young] = await Promise.all(
      ['needed', 'old', 'again', 'young'].map((text) => blobs.put(text)),
    );
    assert.ok(needed && old && again && young);
    for (const digest of [needed, old, again]) await utimes(fileOf(folder, digest), 1, 1);
    await blobs.put('again');
    const sweep = { isNeeded: (digest: string) => digest === needed, beforeMs: 2000 };
    assert.deepEqual(await blobs.sweep({ ...sweep, dryRun: true }), { count: 1, bytes: 3 });
    assert.deepEqual(await blobs.sweep({ ...sweep, dryRun: false }), { count: 1, bytes: 3 });
    const left = await Promise.all([needed, old, again, young].map((digest) => blobs.get(digest)));
    assert.deepEqual(
      left.map((bytes) => bytes && Buffer.from(bytes).toString()),
      ['needed', undefined, 'again', 'young'],
    );
  });
});
