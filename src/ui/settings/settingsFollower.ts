import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import type { ExecutorLink } from '../executorLink';
import type { Settings } from './settings';

/** A settings page changes a value with every key that is pressed. */
const quietMs = 1000;

/** Opens the executor again when what it was opened with has changed: at once when nothing runs, else when the user says so. */
export class SettingsFollower implements Disposable {
  private readonly store = new DisposableStore();
  private timer: Disposable | undefined;
  private asking = false;

  constructor(
    settings: Settings,
    private readonly link: ExecutorLink,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.store.add(settings.onDidChangeExecutor(() => this.changed()));
    this.store.add(
      link.onDidChangeStatus(({ kind }) => {
        // What opens now reads the settings as they are.
        if (kind === 'opening') this.timer?.dispose();
      }),
    );
  }

  /** Something that the executor was opened with is another now, and may change again in a moment. */
  changed(): void {
    this.timer?.dispose();
    this.timer = this.clock.setTimer(quietMs, () => this.applyNow());
  }

  /** The same, and what it is now stays: the user goes on at once. */
  applyNow(): void {
    this.timer?.dispose();
    this.apply().catch((error: unknown) => this.logger.error('The settings could not be applied', error));
  }

  dispose(): void {
    this.timer?.dispose();
    this.store.dispose();
  }

  private async apply(): Promise<void> {
    await this.link.settled();
    if (this.runsHere()) {
      if (this.asking) return;
      this.asking = true;
      const apply = l10n.t('Apply Now');
      const message = l10n.t(
        'The settings take effect when Airlock starts again. Running tasks then go on where they were.',
      );
      const chosen = await vscode.window.showInformationMessage(message, apply);
      this.asking = false;
      if (chosen !== apply) return;
    }
    await this.link.reopen();
  }

  private runsHere(): boolean {
    const { status, state } = this.link;
    return status.kind === 'open' && status.executor.place.kind === 'here' && state.sessions.size > 0;
  }
}
