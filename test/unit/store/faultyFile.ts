import { openJournalFile, type JournalFile, type OpenJournalFile } from '../../../src/store/journalFile';

/** What goes wrong, and how often. Each fault is used up by the call that it hits. */
export interface Faults {
  /** The next writes take only so many bytes each. */
  shortWrites?: number[];
  /** The next writes fail so, after taking `bytes` of what they were given. */
  failedWrites?: { readonly error: Error; readonly bytes: number }[];
  failedSyncs?: Error[];
  failedTruncates?: Error[];
  failedOpens?: Error[];
  /** While it is set, whatever would change the file fails so, and so does opening it. */
  dead?: Error | undefined;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something of the disk`), { code });
}

/** Real files with faults in between, and a count of what was asked of them. */
export class FaultyFiles {
  readonly faults: Faults = {};
  writes = 0;
  syncs = 0;
  opens = 0;
  /** Syncs wait for this, so that a test can let appends pile up. */
  syncGate: Promise<void> = Promise.resolve();

  readonly open: OpenJournalFile = async (file) => {
    const fault = this.opens > 0 ? this.faults.failedOpens?.shift() : undefined;
    this.opens += 1;
    if (fault) throw fault;
    this.throwIfDead();
    return this.wrap(await openJournalFile(file));
  };

  private throwIfDead(): void {
    if (this.faults.dead) throw this.faults.dead;
  }

  private wrap(real: JournalFile): JournalFile {
    return {
      write: async (bytes) => {
        this.writes += 1;
        this.throwIfDead();
        const failed = this.faults.failedWrites?.shift();
        if (failed) {
          if (failed.bytes > 0) await real.write(bytes.subarray(0, failed.bytes));
          throw failed.error;
        }
        const short = this.faults.shortWrites?.shift();
        return real.write(short === undefined ? bytes : bytes.subarray(0, short));
      },
      datasync: async () => {
        this.syncs += 1;
        await this.syncGate;
        this.throwIfDead();
        const failed = this.faults.failedSyncs?.shift();
        if (failed) throw failed;
        await real.datasync();
      },
      truncate: async (bytes) => {
        this.throwIfDead();
        const failed = this.faults.failedTruncates?.shift();
        if (failed) throw failed;
        await real.truncate(bytes);
      },
      read: (position, bytes) => real.read(position, bytes),
      close: () => real.close(),
    };
  }
}
