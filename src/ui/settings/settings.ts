import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import { Setting } from './setting';
import { type SettingId, settingTable, type SettingValue } from './settingTable';

/** All settings of the table. */
export class Settings implements Disposable {
  private readonly store = new DisposableStore();
  private readonly all = new Map<SettingId, Setting<SettingId>>();

  constructor(logger: Logger) {
    for (const id of settingIds) this.all.set(id, this.store.add(new Setting(id, logger)));
  }

  get<K extends SettingId>(id: K): Setting<K> {
    // Each id was put in with its own setting.
    return this.all.get(id) as unknown as Setting<K>;
  }

  value<K extends SettingId>(id: K): SettingValue<K> {
    return this.get(id).value;
  }

  /** Calls `listener` when one of those that the executor is opened with has changed. */
  onDidChangeExecutor(listener: () => void): Disposable {
    const store = new DisposableStore();
    for (const id of settingIds) {
      if (settingTable[id].scope === 'machine' && !readAnew.has(id)) store.add(this.get(id).onDidChange(listener));
    }
    return store;
  }

  dispose(): void {
    this.store.dispose();
  }
}

const settingIds = Object.keys(settingTable) as SettingId[];

/** Read each time they are needed, so that a change takes effect by itself. */
const readAnew: ReadonlySet<SettingId> = new Set<SettingId>([
  'airlock.repositories',
  'airlock.startQueueOnOpen',
  'airlock.mcp.approved',
  'airlock.mcp.privateHosts',
  'airlock.report.schedule',
  'airlock.report.folder',
]);
