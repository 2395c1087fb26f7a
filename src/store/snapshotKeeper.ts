import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import type { LiveState } from '../core/liveState';
import type { JournalPosition } from './journalPosition';
import { writeSnapshot } from './snapshotFiles';

export interface SnapshotKeeperOptions {
  readonly folder: string;
  readonly state: LiveState;
  /** Behind the last event that is durable. */
  readonly position: () => JournalPosition;
  /** The event up to which there is a snapshot; 0 for none. */
  readonly lastSeq: number;
  readonly eventsBetween: number;
  readonly logger: Logger;
  /** After each that was written while events still come. */
  readonly onDidWrite: (position: JournalPosition) => void;
}

/** Writes snapshots now and then. A snapshot only saves time, so a failure is told to the log and does no other harm. */
export class SnapshotKeeper {
  private lastSeq: number;
  private finished = false;
  private writing: Promise<void> | undefined;

  constructor(private readonly options: SnapshotKeeperOptions) {
    this.lastSeq = options.lastSeq;
  }

  /** To be called after events were applied; returns at once. */
  consider(): void {
    const { state, eventsBetween } = this.options;
    if (state.seq - this.lastSeq < eventsBetween || this.writing || this.finished) return;
    void this.write();
  }

  /** Writes the last one, if there is something new. */
  async finish(): Promise<void> {
    this.finished = true;
    await this.writing;
    if (this.options.state.seq > this.lastSeq) await this.write();
  }

  private async write(): Promise<void> {
    const { folder, state, logger } = this.options;
    const position = this.options.position();
    // Several appends share a write: until the last of them is applied, the state is behind the journal.
    if (position.seq !== state.seq) return;
    this.lastSeq = position.seq;
    this.writing = writeSnapshot(folder, state, position).catch((error: unknown) =>
      logger.warn('A snapshot could not be written', { reason: messageOf(error) }),
    );
    await this.writing;
    this.writing = undefined;
    if (!this.finished) this.options.onDidWrite(position);
  }
}
