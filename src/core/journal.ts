import type { Event } from '../base/emitter';
import type { AirlockEvent, EventBody } from './events';
import type { LiveState } from './liveState';

/** The append-only file of events. It is the truth; everything else is a view of it. */
export interface Journal {
  /**
   * Appends events as one group: after a crash there are all of them or none. Resolves when they are on disk.
   * @throws {UserError} `disk-full`: nothing was written and everything that was there is kept; a later append may work.
   * @throws {UserError} `journal-failed`: the device failed and these events are not kept. With the fact `recovered` the
   * file was opened anew and holds what it held before, so a later append may work; without it the journal is closed.
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
