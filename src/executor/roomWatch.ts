import { DisposableStore, type Disposable } from '../base/disposable';
import { messageOf, UserError } from '../base/errors';
import type { ExecutorPorts } from './ports';

/**
 * Full disk: stop accepting, keep everything, say it, go on when there is room. What runs is interrupted in order, so that
 * what it received is kept and nothing more is paid for that could not be.
 */
export class RoomWatch implements Disposable {
  private readonly disposables = new DisposableStore();

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'room' | 'logger'>,
    /** What is to be done about it; called with each change, and at the start when there is no room. */
    private readonly react: { readonly whenShort: () => Promise<void>; readonly whenEnough: () => void },
  ) {}

  start(): void {
    const { room } = this.ports;
    this.disposables.add(room.onDidChange(() => this.follow()));
    if (room.shortage !== undefined) this.follow();
  }

  /** @throws {UserError} `disk-full` while there is no room. */
  throwIfShort(): void {
    const { shortage } = this.ports.room;
    if (shortage !== undefined) throw new UserError('disk-full', shortage);
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private follow(): void {
    const reason = this.ports.room.shortage ?? null;
    this.say(reason)
      .then(() => (reason === null ? this.react.whenEnough() : this.react.whenShort()))
      .catch((error: unknown) => this.ports.logger.error('The work could not be ended in order', error));
  }

  private async say(reason: string | null): Promise<void> {
    try {
      await this.ports.events.append([{ kind: 'queue.held', cause: 'disk', reason }]);
    } catch (error) {
      this.ports.logger.warn('That the disk is full could not be kept', { reason: messageOf(error) });
    }
  }
}
