import type { Disposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { CancelledError, isUserError, messageOf, UserError } from '../base/errors';
import type { Logger } from '../base/logger';
import type { AirlockEvent } from '../core/events';
import type { Executor } from '../core/executor';
import type { HistoryAnswer, HistoryQuery } from '../core/history';
import { emptyState, type LiveState } from '../core/liveState';

/**
 * How far the executor is.
 * `closed → opening → open`, or `failed`, from which it can be opened again. `closed` comes again at the end.
 */
export type LinkStatus =
  | { readonly kind: 'closed' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'open'; readonly executor: Executor }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * The executor as the views see it, there from the first moment on: while the real one opens, its state is empty. Events
 * come through it, so that nobody has to subscribe anew when the executor is opened again.
 */
export class ExecutorLink implements Disposable {
  private current: LinkStatus = { kind: 'closed' };
  private opening: Promise<void> = Promise.resolve();
  /** The end of the executor before; it never rejects. Until then that one holds the storage. */
  private closing: Promise<void> = Promise.resolve();
  private subscriptions: Disposable[] = [];
  private ended = false;
  private readonly nothing = emptyState();
  private readonly statusChanged: Emitter<LinkStatus>;
  private readonly appended: Emitter<readonly AirlockEvent[]>;
  private readonly replaced: Emitter<void>;

  constructor(
    private readonly openExecutor: () => Promise<Executor>,
    private readonly logger: Logger,
  ) {
    const report = (error: unknown): void => logger.error('A view failed to follow the executor', error);
    this.statusChanged = new Emitter(report);
    this.appended = new Emitter(report);
    this.replaced = new Emitter(report);
  }

  get onDidChangeStatus() {
    return this.statusChanged.event;
  }

  get onDidAppend() {
    return this.appended.event;
  }

  /** Show everything anew: another state, another place, opened or closed. */
  get onDidReset() {
    return this.replaced.event;
  }

  get status(): LinkStatus {
    return this.current;
  }

  get state(): LiveState {
    return this.current.kind === 'open' ? this.current.executor.state : this.nothing;
  }

  /** Begins to open the executor, unless it is open or about to be. Never throws: see `status`. */
  open(): void {
    if (this.ended || this.current.kind === 'opening' || this.current.kind === 'open') return;
    this.set({ kind: 'opening' });
    this.opening = this.tryToOpen();
  }

  /** Resolves when it is open or has failed to. */
  settled(): Promise<void> {
    return this.opening;
  }

  /** @throws {UserError} `executor-unavailable` when it could not be opened. @throws {CancelledError} at the end. */
  async ready(): Promise<Executor> {
    this.open();
    await this.opening;
    switch (this.current.kind) {
      case 'open':
        return this.current.executor;
      case 'failed':
        throw unavailable(this.current.error);
      case 'opening':
      case 'closed':
        throw new CancelledError('Airlock is closing');
    }
  }

  /**
   * The executor once somebody works the queue: the one of a window that is not trusted follows others alone, and is opened anew a
   * moment after the user has trusted the folder. @throws as `ready` does.
   */
  async working(): Promise<Executor> {
    for (;;) {
      const executor = await this.ready();
      if (executor.place.kind !== 'nowhere') return executor;
      // It may have been closed just now, and then there is nothing to wait for.
      if (this.current.kind !== 'open' || this.current.executor !== executor) continue;
      await new Promise<void>((resolve) => {
        const reset = this.onDidReset(() => {
          reset.dispose();
          resolve();
        });
      });
    }
  }

  /** Asks the executor, as soon as it is open. @throws {UserError} as `ready` does. */
  async history(query: HistoryQuery): Promise<HistoryAnswer> {
    return (await this.ready()).history(query);
  }

  /** Closes the executor in order and opens it again, with what the settings say now. */
  async reopen(): Promise<void> {
    await this.close();
    this.open();
    await this.opening;
  }

  /** Ends it for good: resolves when everything that the executor started has ended. */
  async shutdown(): Promise<void> {
    this.ended = true;
    await this.close();
  }

  dispose(): void {
    this.ended = true;
    for (const emitter of [this.statusChanged, this.appended, this.replaced]) emitter.dispose();
  }

  private async tryToOpen(): Promise<void> {
    try {
      await this.closing;
      const executor = await this.openExecutor();
      this.subscriptions = [
        executor.onDidAppend((events) => this.appended.fire(events)),
        executor.onDidReset(() => this.replaced.fire()),
      ];
      this.set({ kind: 'open', executor });
    } catch (error) {
      this.logger.error('The executor could not be opened', error);
      this.set({ kind: 'failed', error });
    }
  }

  private async close(): Promise<void> {
    await this.opening;
    if (this.current.kind === 'open') {
      const { executor } = this.current;
      for (const subscription of this.subscriptions.splice(0)) subscription.dispose();
      this.closing = this.end(executor);
    }
    this.set({ kind: 'closed' });
    await this.closing;
  }

  private async end(executor: Executor): Promise<void> {
    try {
      await executor.shutdown();
      executor.dispose();
    } catch (error) {
      this.logger.error('The executor could not be closed in order', error);
    }
  }

  private set(status: LinkStatus): void {
    this.current = status;
    this.statusChanged.fire(status);
    this.replaced.fire();
  }
}

function unavailable(error: unknown): Error {
  if (isUserError(error)) return error;
  return new UserError(
    'executor-unavailable',
    `Airlock could not start: ${messageOf(error)} The log says more.`,
    {},
    { cause: error },
  );
}
