import { Emitter } from '../base/emitter';
import type { Keyboard, TerminalSize } from '../core/keyboard';

/** What a keyboard of another process is asked to do. */
export interface KeyboardWire {
  type(keys: string): Promise<unknown>;
  resize(size: TerminalSize): Promise<unknown>;
  giveBack(): Promise<unknown>;
}

/** A session's keyboard in another process. */
export class RemoteKeyboard implements Keyboard {
  private readonly emitter: Emitter<void>;
  private ended = false;

  constructor(
    private readonly wire: KeyboardWire,
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.emitter = new Emitter(onFailure);
  }

  readonly onDidEnd: Keyboard['onDidEnd'] = (listener) => {
    const watch = this.emitter.event(listener);
    if (this.ended) listener();
    return watch;
  };

  write(keys: string): void {
    if (!this.ended) this.wire.type(keys).catch(this.onFailure);
  }

  resize(size: TerminalSize): void {
    if (!this.ended) this.wire.resize(size).catch(this.onFailure);
  }

  async giveBack(): Promise<void> {
    if (!this.ended) await this.wire.giveBack();
  }

  /** It is the agent's again, or nobody knows any more. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.emitter.fire();
    this.emitter.dispose();
  }
}
