import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { makePrivateFolder, syncFolder } from '../base/durableFile';

/** It is given back piece by piece, so that somebody else who fills the disk cannot take all of it at once. */
const pieceCount = 4;

/** Room on the disk that is set aside, for what must still be kept when there is no other left. */
export class DiskReserve {
  private readonly folder: string;

  /** @param pieceBytes The size of each of its four pieces. */
  constructor(
    storage: string,
    private readonly pieceBytes: number,
  ) {
    this.folder = reserveFolder(storage);
  }

  /** How much is missing of it. */
  async missingBytes(): Promise<number> {
    return (pieceCount - (await this.whole()).length) * this.pieceBytes;
  }

  /** Sets aside what is missing. @throws what the disk says when there is no room for it; nothing half made is left. */
  async fill(): Promise<void> {
    await makePrivateFolder(this.folder);
    const whole = new Set(await this.whole());
    for (let number = 1; number <= pieceCount; number += 1) {
      if (!whole.has(`${number}`)) await allocate(path.join(this.folder, `${number}`), this.pieceBytes);
    }
  }

  /** Shows that as much can be kept as a piece has, and takes it away again. @throws what the disk says when it cannot. */
  async prove(): Promise<void> {
    const file = `${this.folder}.proof`;
    await write(file, this.pieceBytes);
    await rm(file);
    await syncFolder(path.dirname(file));
  }

  /** Gives one piece back. @returns whether there was one. */
  async release(): Promise<boolean> {
    const [piece] = await names(this.folder);
    if (piece === undefined) return false;
    await rm(path.join(this.folder, piece), { force: true });
    // Some file systems count the room as free only when the removal is on disk.
    await syncFolder(this.folder).catch(() => {});
    return true;
  }

  private async whole(): Promise<string[]> {
    const whole: string[] = [];
    for (const name of await names(this.folder)) {
      const { size } = await stat(path.join(this.folder, name));
      if (size >= this.pieceBytes) whole.push(name);
    }
    return whole;
  }
}

/** Gives all of it back: for a start on a full disk, where nobody can say yet that it is. */
export async function releaseReserve(storage: string): Promise<boolean> {
  const folder = reserveFolder(storage);
  const hadSome = (await names(folder)).length > 0;
  await rm(folder, { recursive: true, force: true });
  return hadSome;
}

function reserveFolder(storage: string): string {
  return path.join(storage, 'reserve');
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Blocks, and not a hole: `fallocate` where it works, otherwise bytes that no file system can make smaller. */
async function allocate(file: string, bytes: number): Promise<void> {
  try {
    await promisify(execFile)('fallocate', ['--length', `${bytes}`, file]);
  } catch {
    await write(file, bytes);
  }
}

async function write(file: string, bytes: number): Promise<void> {
  try {
    const handle = await open(file, 'w', 0o600);
    try {
      await handle.writeFile(randomFillSync(Buffer.alloc(bytes)));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}
