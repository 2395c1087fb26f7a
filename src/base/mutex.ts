import { CancelledError } from './errors';

/** Runs what it is given one after another, in the order of asking. One that fails does not stop the next. */
export class Mutex {
  private tail: Promise<unknown> = Promise.resolve();

  /**
   * @param signal While it waits for its turn it can be given up: it is never run then. What has begun looks at the signal itself.
   * @throws {CancelledError} as soon as it is given up, and not only when its turn has come.
   */
  run<T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!signal) return this.queue(action);
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(new CancelledError());
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      const begin = async (): Promise<T> => {
        signal.removeEventListener('abort', giveUp);
        if (signal.aborted) throw new CancelledError();
        return action();
      };
      this.queue(begin).then(resolve, reject);
    });
  }

  private queue<T>(action: () => Promise<T>): Promise<T> {
    const result = this.tail.then(action);
    this.tail = result.catch(() => {});
    return result;
  }
}
