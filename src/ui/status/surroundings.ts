import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import type { Logger } from '../../base/logger';
import type { Executor } from '../../core/executor';
import type { JailReadiness } from '../../core/jail';
import type { Credentials } from '../credentials';
import type { ExecutorLink } from '../executorLink';
import type { Features } from '../features';
import type { Surroundings } from './problem';

/** What Airlock stands in: is there an executor, a jail, a key, and does the user trust this folder? */
export class LiveSurroundings implements Disposable {
  private jail: JailReadiness | null = null;
  private readonly store = new DisposableStore();
  private readonly changed = new Emitter<void>();

  constructor(
    private readonly link: ExecutorLink,
    private readonly credentials: Credentials,
    private readonly features: Features,
    private readonly logger: Logger,
  ) {
    this.store.add(this.changed);
    this.store.add(link.onDidChangeStatus(() => this.changed.fire()));
    // Opened, or found in another place: another jail, perhaps.
    this.store.add(link.onDidReset(() => this.follow()));
    this.store.add(credentials.onDidChange(() => this.changed.fire()));
    this.store.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire()));
  }

  get onDidChange() {
    return this.changed.event;
  }

  get current(): Surroundings {
    return {
      link: this.link.status,
      trusted: vscode.workspace.isTrusted,
      jail: this.jail,
      needsApiKey: this.credentials.needsApiKey,
      failedFeatures: this.features.failed,
    };
  }

  dispose(): void {
    this.store.dispose();
  }

  private follow(): void {
    this.changed.fire();
    const { status } = this.link;
    if (status.kind !== 'open' || status.executor.place.kind === 'nowhere') return;
    this.look(status.executor).catch((error: unknown) => this.logger.error('Looking for the jail failed', error));
  }

  private async look(executor: Executor): Promise<void> {
    const jail = await executor.jailReadiness();
    // An executor that is closing meanwhile says nothing about the next one.
    if (this.link.status.kind !== 'open' || this.link.status.executor !== executor) return;
    this.jail = jail;
    if (this.jail.kind === 'unavailable')
      this.logger.warn(this.jail.reason, { code: this.jail.code, fix: this.jail.fix });
    this.changed.fire();
  }
}
