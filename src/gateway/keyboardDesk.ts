import { assertNever, messageOf, UserError } from '../base/errors';
import type { Disposable } from '../base/disposable';
import type { Logger } from '../base/logger';
import type { Executor } from '../core/executor';
import type { Keyboard } from '../core/keyboard';
import type { Call } from '../protocol/executorProtocol';

/** The calls about a keyboard: they belong to the connection that took it. */
export type KeyboardCall = Extract<Call, { method: 'takeOver' | 'typeKeys' | 'resizeTerminal' | 'giveBack' }>;

export interface KeyboardDeskOptions {
  readonly executor: Executor;
  readonly logger: Logger;
  /** Called when a keyboard is the agent's again, by the name that the client gave it. */
  readonly onEnd: (keyboard: string) => void;
}

/** The keyboards that one client has, by the names that it gave them. When the client goes away they are given back. */
export class KeyboardDesk implements Disposable {
  private readonly keyboards = new Map<string, Keyboard | 'asked for'>();
  private closed = false;

  constructor(private readonly options: KeyboardDeskOptions) {}

  async perform(call: KeyboardCall): Promise<null> {
    switch (call.method) {
      case 'takeOver':
        await this.takeOver(call);
        return null;
      case 'typeKeys':
        this.find(call.keyboard)?.write(call.keys);
        return null;
      case 'resizeTerminal':
        this.find(call.keyboard)?.resize(call.size);
        return null;
      case 'giveBack':
        await this.find(call.keyboard)?.giveBack();
        return null;
      default:
        return assertNever(call);
    }
  }

  dispose(): void {
    this.closed = true;
    for (const name of this.keyboards.keys()) {
      const keyboard = this.find(name);
      if (keyboard) this.release(keyboard);
    }
    this.keyboards.clear();
  }

  private async takeOver({ keyboard: name, sessionId, size }: Extract<KeyboardCall, { method: 'takeOver' }>) {
    if (this.keyboards.has(name)) throw new UserError('bad-request', 'A keyboard has that name already.');
    this.keyboards.set(name, 'asked for');
    try {
      const keyboard = await this.options.executor.takeOver(sessionId, size);
      // The client may be gone by now.
      if (this.closed) return this.release(keyboard);
      this.keyboards.set(name, keyboard);
      keyboard.onDidEnd(() => {
        this.keyboards.delete(name);
        if (!this.closed) this.options.onEnd(name);
      });
    } catch (error) {
      this.keyboards.delete(name);
      throw error;
    }
  }

  /** `undefined` when it has ended meanwhile: what is typed then goes nowhere. */
  private find(name: string): Keyboard | undefined {
    const keyboard = this.keyboards.get(name);
    return keyboard === 'asked for' ? undefined : keyboard;
  }

  private release(keyboard: Keyboard): void {
    keyboard
      .giveBack()
      .catch((error: unknown) =>
        this.options.logger.warn('A keyboard could not be given back', { reason: messageOf(error) }),
      );
  }
}
