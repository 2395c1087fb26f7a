import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStat } from './procfs';

/** What the names of these folders begin with; whose they are follows: `airlock-jails-<pid>-<start time>-<random>`. */
export const folderPrefix = 'airlock-jails-';

/** A folder for the jails' own small files, for this user alone: made when it is first asked for. */
export class PrivateFolder {
  private made: Promise<string> | undefined;

  path(): Promise<string> {
    this.made ??= mkdtemp(
      join(tmpdir(), `${folderPrefix}${process.pid}-${processStat(process.pid)?.startTicks ?? 0}-`),
    );
    return this.made;
  }

  async remove(): Promise<void> {
    const made = this.made;
    this.made = undefined;
    if (made) await rm(await made, { recursive: true, force: true });
  }
}
