import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { systemCodeOf } from '../base/errors';
import { Mutex } from '../base/mutex';
import type { Dependencies } from '../core/dependencies';
import type { Jails } from '../core/jail';
import { writeDurably } from '../base/durableFile';

const recordName = 'made.json';

/** What is kept beside what a setup made. It is written last: without it, nothing there counts. */
const recordSchema = z.object({
  version: z.literal(1),
  /** Paths in the workspace; the folder of each is `outputs/<its place in this list>`. */
  outputs: z.array(z.string()),
  hasCache: z.boolean(),
  /** Made from what the user has committed, so that later setups may begin with its cache. */
  isTrusted: z.boolean(),
  bytes: z.number().int().nonnegative(),
});
export type DependencyRecord = Omit<z.infer<typeof recordSchema>, 'version'>;

interface Entry {
  readonly folder: string;
  readonly record: DependencyRecord;
  readonly usedAtMs: number;
}

/**
 * What setups made, on disk, by repository and key. Something is there whole or not at all: it is made under another name
 * and gets its own when it is on disk. Nobody but the process that owns the storage may use it.
 */
export class DependencyShelf {
  private readonly leases = new Map<string, number>();
  /** Finding something and taking it out of the way of others must not come between each other. */
  private readonly turn = new Mutex();
  private readonly swept = new Map<string, Promise<void>>();

  constructor(
    private readonly top: string,
    private readonly jails: Jails,
  ) {}

  take(repository: string, key: string): Promise<Dependencies | undefined> {
    return this.turn.run(async () => {
      const entry = await this.read(join(this.top, repository, key));
      if (!entry) return undefined;
      const now = new Date();
      await utimes(join(entry.folder, recordName), now, now);
      return this.lease(key, entry);
    });
  }

  /** The cache of what was last used of a repository and made from what its user committed. */
  takeNewestCache(repository: string): Promise<Dependencies | undefined> {
    return this.turn.run(async () => {
      const entries = await this.entriesOf(repository);
      const usable = entries.filter(({ record }) => record.isTrusted && record.hasCache);
      const [newest] = usable.sort((a, b) => b.usedAtMs - a.usedAtMs);
      return newest && this.lease('', newest);
    });
  }

  /** A new folder to make something in. Whoever asks deletes it or has it kept. */
  async begin(repository: string): Promise<string> {
    await this.sweep(repository);
    const folder = join(this.top, repository, `.part-${randomUUID()}`);
    await mkdir(folder, { mode: 0o755 });
    return folder;
  }

  /** Keeps what was made in `part`: `outputs/0`, `outputs/1`, …, and `cache`. */
  async keep(part: string, repository: string, key: string, record: DependencyRecord): Promise<Dependencies> {
    await syncTree(part);
    await writeDurably(join(part, recordName), JSON.stringify({ version: 1, ...record }));
    return this.turn.run(async () => {
      const folder = join(this.top, repository, key);
      // Only what was found unusable can be there.
      await this.discard(folder);
      await rename(part, folder);
      await syncFolder(join(this.top, repository));
      return this.lease(key, { folder, record, usedAtMs: Date.now() });
    });
  }

  /** Deletes what was used longest ago and is in nobody's use, until the rest is no larger than `maxBytes`. */
  makeRoom(maxBytes: number): Promise<void> {
    return this.turn.run(async () => {
      const repositories = await namesIn(this.top);
      const entries = (await Promise.all(repositories.map((name) => this.entriesOf(name)))).flat();
      let bytes = entries.reduce((sum, { record }) => sum + record.bytes, 0);
      for (const { folder, record } of entries.sort((a, b) => a.usedAtMs - b.usedAtMs)) {
        if (bytes <= maxBytes) return;
        if (this.leases.has(folder)) continue;
        await this.discard(folder);
        bytes -= record.bytes;
      }
    });
  }

  /** Renamed first, so that half of it is never taken for the whole. */
  private async discard(folder: string): Promise<void> {
    const unnamed = join(folder, '..', `.part-${randomUUID()}`);
    try {
      await rename(folder, unnamed);
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return;
      throw error;
    }
    await this.jails.remove(unnamed);
  }

  private lease(key: string, { folder, record }: Entry): Dependencies {
    this.leases.set(folder, (this.leases.get(folder) ?? 0) + 1);
    let isReleased = false;
    return {
      key,
      folders: record.outputs.map((path, index) => ({ path, folder: join(folder, 'outputs', String(index)) })),
      cache: record.hasCache ? join(folder, 'cache') : null,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        const others = (this.leases.get(folder) ?? 1) - 1;
        if (others === 0) this.leases.delete(folder);
        else this.leases.set(folder, others);
      },
    };
  }

  /** Deletes what an earlier process did not finish, once. */
  private sweep(repository: string): Promise<void> {
    const known = this.swept.get(repository);
    if (known) return known;
    const folder = join(this.top, repository);
    const sweeping = (async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const name of await namesIn(folder)) {
        if (name.startsWith('.part-')) await this.jails.remove(join(folder, name));
      }
    })();
    this.swept.set(repository, sweeping);
    return sweeping;
  }

  private async entriesOf(repository: string): Promise<Entry[]> {
    const folder = join(this.top, repository);
    const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
    const entries = await Promise.all(names.map((name) => this.read(join(folder, name))));
    return entries.filter((entry) => entry !== undefined);
  }

  /** @returns `undefined` when there is none, or it is not whole. */
  private async read(folder: string): Promise<Entry | undefined> {
    try {
      const path = join(folder, recordName);
      const parsed = recordSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
      if (!parsed.success) return undefined;
      const parts = [
        ...parsed.data.outputs.map((_, index) => join(folder, 'outputs', String(index))),
        ...(parsed.data.hasCache ? [join(folder, 'cache')] : []),
      ];
      const stats = await Promise.all(parts.map((part) => lstat(part)));
      if (!stats.every((part) => part.isDirectory())) return undefined;
      return { folder, record: parsed.data, usedAtMs: (await lstat(path)).mtimeMs };
    } catch (error) {
      if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '')) return undefined;
      throw error;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Everything below is on disk when this resolves: the whole file system is, which is cheaper than file by file. */
async function syncTree(path: string): Promise<void> {
  await promisify(execFile)('sync', ['--file-system', path], { env: { PATH: '/usr/bin:/bin' } });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
