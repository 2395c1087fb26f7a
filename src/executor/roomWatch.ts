import { DisposableStore, type Disposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { messageOf } from '../base/errors';
import type { LiveState } from '../core/liveState';
import type { ExecutorPorts } from './ports';

/**
 * A full disk, or one that takes no writes: stop accepting, keep everything, say it, go on when all can be kept again. What runs
 * is interrupted in order, so that what it received is kept and nothing more is paid for that could not be.
 */
export class RoomWatch implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly changedUnsaid = this.disposables.add(new Emitter<void>());
  /** What `shown` adds came or went. */
  readonly onDidChangeUnsaid = this.changedUnsaid.event;
  /** Why the queue is held, while that cannot be kept. */
  private unsaid: string | undefined;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'room' | 'logger'>,
    /** What is to be done about it; called with each change, and at the start when there is no room. */
    private readonly react: { readonly whenShort: () => Promise<void>; readonly whenEnough: () => Promise<void> },
  ) {}

  start(): void {
    const { room } = this.ports;
    this.disposables.add(room.onDidChange(() => this.follow()));
    if (room.shortage !== undefined) this.follow();
  }

  /** @throws {UserError} `disk-full`, `storage-unwritable`. */
  throwIfShort(): void {
    const { shortage } = this.ports.room;
    if (shortage !== undefined) throw shortage;
  }

  /** For commands that do something before they keep it. @throws {UserError} `storage-unwritable`. */
  throwIfUnwritable(): void {
    if (this.ports.room.shortage?.code === 'storage-unwritable') this.throwIfShort();
  }

  /** The state as it is to be shown: with why the queue is held, also while no event can say so. */
  shown(state: LiveState): LiveState {
    return this.unsaid === undefined ? state : { ...state, holds: new Map([...state.holds, ['disk', this.unsaid]]) };
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private follow(): void {
    const reason = this.ports.room.shortage?.message ?? null;
    this.say(reason)
      .then(() => (reason === null ? this.react.whenEnough() : this.react.whenShort()))
      .catch((error: unknown) => this.ports.logger.error('The work could not follow what the storage takes', error));
  }

  private async say(reason: string | null): Promise<void> {
    try {
      await this.ports.events.append([{ kind: 'queue.held', cause: 'disk', reason }]);
      this.setUnsaid(undefined);
    } catch (error) {
      this.ports.logger.debug('Why the queue is held could not be kept', { reason: messageOf(error) });
      this.setUnsaid(this.ports.room.shortage?.message);
    }
  }

  private setUnsaid(unsaid: string | undefined): void {
    if (unsaid === this.unsaid) return;
    this.unsaid = unsaid;
    this.changedUnsaid.fire();
  }
}
