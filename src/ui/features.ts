import * as l10n from '@vscode/l10n';
import type { Disposable } from '../base/disposable';
import { DisposableStore } from '../base/disposable';
import { messageOf, UserError } from '../base/errors';
import type { Logger } from '../base/logger';

/** A part of the UI that may have failed to start. */
export interface Feature<T> {
  /** @throws {UserError} `feature-failed` when it did not start. */
  get(): T;
}

/** Starts the parts of the UI, each for itself: one that fails says so, and the rest works. */
export class Features implements Disposable {
  private readonly store = new DisposableStore();
  private readonly failures: string[] = [];

  constructor(private readonly logger: Logger) {}

  /** What failed to start, in words. */
  get failed(): readonly string[] {
    return this.failures;
  }

  start<T extends Disposable>(name: string, make: () => T): Feature<T> {
    try {
      const feature = this.store.add(make());
      return { get: () => feature };
    } catch (error) {
      this.logger.error(`${name} failed to start`, error);
      this.failures.push(l10n.t('{0} failed to start: {1}', name, messageOf(error)));
      return {
        get() {
          throw new UserError(
            'feature-failed',
            l10n.t('{0} failed to start. The log says why.', name),
            {},
            { cause: error },
          );
        },
      };
    }
  }

  dispose(): void {
    this.store.dispose();
  }
}
