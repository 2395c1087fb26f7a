import type { AirlockEvent, EventBody } from './events';

/** The append-only file of events. It is the truth; everything else is a view of it. */
export interface Journal {
  /**
   * Appends events as one group: after a crash there are all of them or none. Resolves when they are on disk.
   * @throws {UserError} `disk-full`: nothing was written and everything that was there is kept; a later append may work.
   * @throws {UserError} `journal-failed`: the device failed, and the journal is closed.
   */
  append(bodies: readonly EventBody[]): Promise<readonly AirlockEvent[]>;
  /** Writes what waits and closes the file. */
  close(): Promise<void>;
}
