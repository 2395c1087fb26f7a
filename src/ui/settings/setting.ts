import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import type { Logger } from '../../base/logger';
import { readSetting, type SettingId, type SettingValue } from './settingTable';

/** One setting: its value, which always is one that it may hold, and an event when it changes. */
export class Setting<K extends SettingId> implements Disposable {
  private current: SettingValue<K>;
  private readonly changed = new Emitter<SettingValue<K>>();
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly id: K,
    private readonly logger: Logger,
  ) {
    this.current = this.read();
    this.subscription = vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(id)) this.follow();
    });
  }

  get value(): SettingValue<K> {
    return this.current;
  }

  get onDidChange() {
    return this.changed.event;
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  private follow(): void {
    const before = JSON.stringify(this.current);
    this.current = this.read();
    if (JSON.stringify(this.current) !== before) this.changed.fire(this.current);
  }

  private read(): SettingValue<K> {
    const dot = this.id.lastIndexOf('.');
    const raw = vscode.workspace.getConfiguration(this.id.slice(0, dot)).get<unknown>(this.id.slice(dot + 1));
    const { value, problem } = readSetting(this.id, raw);
    if (problem !== null) this.logger.warn('A setting is wrong, so its default is used', { setting: this.id, problem });
    return value;
  }
}
