import { messageOf, UserError } from '../base/errors';
import type { EventBody } from '../core/events';
import type { SessionId } from '../core/ids';
import type { Keyboard, TerminalSize } from '../core/keyboard';
import type { ExecutorPorts } from './ports';
import type { SessionShelf } from './sessionShelf';

/** Lets users take living sessions over, and has the journal say who has the keyboard. */
export class TakeOvers {
  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'logger'>,
    private readonly shelf: SessionShelf,
  ) {}

  /** @throws {UserError} `unknown-session`, and what `Session.takeOver` throws. */
  async takeOver(sessionId: SessionId, size: TerminalSize): Promise<Keyboard> {
    const session = this.shelf.living(sessionId);
    if (!session) {
      throw new UserError('unknown-session', 'This session is over: there is no keyboard to take.', { sessionId });
    }
    let onTaken = (): void => {};
    const taken = new Promise<void>((resolve) => (onTaken = resolve));
    const keyboard = await session.takeOver(size);
    const watch = session.onDidGiveBack(({ changedFiles }) => {
      watch.dispose();
      // It may be given back before it is on disk that it was taken.
      void taken.then(() =>
        this.append({ kind: 'session.givenBack', sessionId, changedFiles: changedFiles?.length ?? null }),
      );
    });
    try {
      await this.ports.events.append([{ kind: 'session.takenOver', sessionId }]);
    } catch (error) {
      await keyboard.giveBack();
      throw error;
    } finally {
      onTaken();
    }
    return keyboard;
  }

  private async append(body: EventBody): Promise<void> {
    try {
      await this.ports.events.append([body]);
    } catch (error) {
      this.ports.logger.warn('That a session was given back could not be kept', { reason: messageOf(error) });
    }
  }
}
