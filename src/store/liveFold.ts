import { Emitter, type Event } from '../base/emitter';
import type { Logger } from '../base/logger';
import type { AirlockEvent } from '../core/events';
import { applyEvent } from '../core/fold';
import type { LiveState } from '../core/liveState';

/** Keeps the live state in step with the journal and tells those who listen. */
export class LiveFold {
  private readonly appended: Emitter<readonly AirlockEvent[]>;
  readonly onDidAppend: Event<readonly AirlockEvent[]>;

  constructor(
    readonly state: LiveState,
    private readonly logger: Logger,
  ) {
    this.appended = new Emitter((error) => this.logger.error('A listener of the journal failed', error));
    this.onDidAppend = this.appended.event;
  }

  /** What was in the journal already. */
  replay(events: readonly AirlockEvent[]): void {
    for (const event of events) applyEvent(this.state, event);
  }

  /** What was just appended. It never throws: the events are durable, whatever is made of them. */
  follow(events: readonly AirlockEvent[]): void {
    try {
      this.replay(events);
    } catch (error) {
      this.logger.error('An event could not be applied to the state', error, { seq: events[0]?.seq });
    }
    this.appended.fire(events);
  }

  dispose(): void {
    this.appended.dispose();
  }
}
