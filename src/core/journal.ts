import type { Event } from '../base/emitter';
import type { AirlockEvent, EventBody } from './events';
import type { LiveState } from './liveState';

/** The append-only file of events. It is the truth; everything else is a view of it. */
export interface Journal {
  /**
   * Appends events as one group: after a crash there are all of them or none. Resolves when they are on disk.
   * @throws {UserError} `disk-full`: nothing was written and everything that was there is kept; a later append may work.
   * @throws {UserError} `storage-unwritable`: the device failed and these events are not kept; a later append works once the
   * storage takes writes again. `journal-failed` says so where nobody looks after that.
   * @throws {UserError} `journal-closed`.
   */
  append(bodies: readonly EventBody[]): Promise<readonly AirlockEvent[]>;
  /** Writes what waits and closes the file. */
  close(): Promise<void>;
}

/** The journal together with what follows from it. */
export interface EventLog {
  /** What the events so far amount to. Whoever reads it must not change it. */
  readonly state: LiveState;
  /** Fired with each group after it was applied to `state`. */
  readonly onDidAppend: Event<readonly AirlockEvent[]>;
  /** As `Journal.append`; the events are applied to `state` when it resolves. */
  append(bodies: readonly EventBody[]): Promise<readonly AirlockEvent[]>;
}
