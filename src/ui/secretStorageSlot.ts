import type * as vscode from 'vscode';
import { sha256 } from '../base/digest';
import type { SecretSlot } from '../core/secretSlot';

/** Where the key is with which the journal of a storage folder is anchored: in VS Code's SecretStorage, for each folder its own. */
export function secretStorageSlot(secrets: vscode.SecretStorage, storage: string): SecretSlot {
  const name = `airlock.journal.${sha256(storage).slice(0, 16)}`;
  return {
    read: () => Promise.resolve(secrets.get(name)),
    write: (text) => Promise.resolve(secrets.store(name, text)),
  };
}
