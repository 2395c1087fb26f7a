/**
 * Things that are started and must be ended. Everything that is started is disposed: last in, first out, all of it
 * attempted, failures gathered.
 */
export interface Disposable {
  /** Ends it at once. Calling it again does nothing. */
  dispose(): void;
}

export function toDisposable(dispose: () => void): Disposable {
  let done = false;
  return {
    dispose() {
      if (done) return;
      done = true;
      dispose();
    },
  };
}

/** A bag of disposables that end together, in the reverse order of their start. */
export class DisposableStore implements Disposable {
  private readonly items: Disposable[] = [];
  private disposed = false;

  /** Keeps `item` until this store is disposed; if it already is, `item` is disposed now. */
  add<T extends Disposable>(item: T): T {
    if (this.disposed) item.dispose();
    else this.items.push(item);
    return item;
  }

  /** @throws {AggregateError} when more than one item fails; the one error itself when only one does. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const failures: unknown[] = [];
    for (const item of this.items.splice(0).reverse()) {
      try {
        item.dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, `${failures.length} disposals failed`);
  }
}
