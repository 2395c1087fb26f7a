import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../base/digest';
import { systemCodeOf, UserError } from '../base/errors';
import { newId } from '../base/ids';
import type { BlobStore, BlobSweep } from '../core/blobs';
import { type Digest, digestSchema } from '../core/ids';
import { diskFull, isDiskFull, isUnwritable, makePrivateFolder, syncFolder, writeDurably } from '../base/durableFile';
import type { WriteFailures } from './writeFailures';

/** Blobs as files: `ab/abcdef…`, mode 0600. */
export interface BlobFolder extends BlobStore {
  /** Deletes one for good. Doing it again does nothing. */
  delete(digest: Digest): Promise<void>;
}

/** Opens the folder, making it when it is missing. What an earlier process left half written is removed. */
export async function openBlobFolder(
  folder: string,
  /** Absent: what the disk does not take is thrown as it is. */
  failures?: WriteFailures,
): Promise<BlobFolder> {
  const temporary = path.join(folder, 'tmp');
  await rm(temporary, { recursive: true, force: true });
  await makePrivateFolder(temporary);
  return new FileBlobs(folder, temporary, failures);
}

class FileBlobs implements BlobFolder {
  /** Puts under way: a second put of the same bytes must not resolve before they are durable. */
  private readonly putting = new Map<Digest, Promise<void>>();
  private readonly madeFolders = new Set<string>();

  constructor(
    private readonly folder: string,
    private readonly temporary: string,
    private readonly failures: WriteFailures | undefined,
  ) {}

  async put(content: Uint8Array | string): Promise<Digest> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const digest = sha256(bytes);
    let putting = this.putting.get(digest);
    if (!putting) {
      putting = this.storeWithRoom(digest, bytes).finally(() => this.putting.delete(digest));
      this.putting.set(digest, putting);
    }
    await putting;
    return digest;
  }

  async get(digest: Digest): Promise<Uint8Array | undefined> {
    const file = this.fileOf(digest);
    if (!file) return undefined;
    const bytes = await readIfThere(file);
    if (bytes && sha256(bytes) !== digest) {
      throw new UserError('blob-corrupt', `${file} is damaged: its bytes are not the ones that were stored.`, { file });
    }
    return bytes;
  }

  async delete(digest: Digest): Promise<void> {
    const file = this.fileOf(digest);
    if (!file) return;
    await this.putting.get(digest)?.catch(() => {});
    if ((await readIfThere(file)) === undefined) return;
    try {
      await rm(file, { force: true });
      await syncFolder(path.dirname(file));
    } catch (error) {
      throw this.refusal(error);
    }
  }

  async sweep({ isNeeded, beforeMs, dryRun }: BlobSweep): Promise<{ readonly count: number; readonly bytes: number }> {
    let [count, bytes] = [0, 0];
    for (const folder of await readdir(this.folder)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of await readdir(path.join(this.folder, folder))) {
        const digest = digestSchema.safeParse(name);
        if (!digest.success || isNeeded(digest.data)) continue;
        const found = await stat(path.join(this.folder, folder, name)).catch(() => undefined);
        // Putting it again makes it new.
        if (!found || found.mtimeMs >= beforeMs || this.putting.has(digest.data)) continue;
        if (!dryRun) await rm(path.join(this.folder, folder, name), { force: true });
        count += 1;
        bytes += found.size;
      }
      if (!dryRun) await syncFolder(path.join(this.folder, folder));
    }
    return { count, bytes };
  }

  private async storeWithRoom(digest: Digest, bytes: Uint8Array): Promise<void> {
    for (;;) {
      try {
        return await this.store(digest, bytes);
      } catch (error) {
        const isFull = isDiskFull(error) || (error instanceof UserError && error.code === 'disk-full');
        if (!isFull) throw this.refusal(error);
        if (!(await this.failures?.makeRoom())) throw isDiskFull(error) ? diskFull(this.folder, error) : error;
      }
    }
  }

  private refusal(error: unknown): unknown {
    return this.failures && isUnwritable(error) ? this.failures.refuse(error) : error;
  }

  private async store(digest: Digest, bytes: Uint8Array): Promise<void> {
    const file = this.fileOf(digest);
    if (!file) return;
    if (await holds(file, bytes)) {
      const now = new Date();
      await utimes(file, now, now);
      return;
    }
    await this.makeFolder(path.dirname(file));
    await writeDurably(file, bytes, path.join(this.temporary, newId('blob')));
  }

  private async makeFolder(folder: string): Promise<void> {
    if (this.madeFolders.has(folder)) return;
    try {
      // Not recursive: on a read-only file system that says that there is no such folder.
      await mkdir(folder, { mode: 0o700 });
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') throw error;
    }
    await syncFolder(this.folder);
    this.madeFolders.add(folder);
  }

  /** @returns `undefined` for what is no digest: no such blob was ever there. */
  private fileOf(digest: string): string | undefined {
    if (!digestSchema.safeParse(digest).success) return undefined;
    return path.join(this.folder, digest.slice(0, 2), digest);
  }
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Compared byte by byte, so that putting again mends what was damaged. */
async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  const there = await readIfThere(file);
  return there !== undefined && there.equals(bytes);
}
