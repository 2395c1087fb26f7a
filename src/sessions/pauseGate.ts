import type { Disposable } from '../base/disposable';
import { toDisposable } from '../base/disposable';
import { Emitter } from '../base/emitter';

/** Open, or closed for as long as a user has the keyboard: the agent's work waits before it. */
export class PauseGate {
  private readonly changes = new Emitter<boolean>();
  private closed = false;

  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    this.set(true);
  }

  open(): void {
    this.set(false);
  }

  /** Tells at each change whether it is closed now. */
  onDidChange(listener: (closed: boolean) => void): Disposable {
    return this.changes.event(listener);
  }

  /** Resolves when it is open, or when `signal` is aborted. */
  whenOpen(signal?: AbortSignal): Promise<void> {
    if (!this.closed || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = toDisposable(() => {
        watch.dispose();
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => done.dispose();
      const watch = this.onDidChange((closed) => {
        if (!closed) done.dispose();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  private set(closed: boolean): void {
    if (this.closed === closed) return;
    this.closed = closed;
    this.changes.fire(closed);
  }
}
