import { readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStat } from './procfs';

/** What the names of all temporary folders of jails begin with; whose one is follows (see `ownerOf`). */
const folderPrefix = 'airlock-jails-';

/** A process that made a folder. Process numbers mean nothing in another pid namespace. */
interface FolderOwner {
  readonly pidNamespace: string;
  readonly pid: number;
  readonly startTicks: number;
}

/**
 * Makes a temporary folder, for this user alone. Its name says which process it belongs to, so that whatever a killed one leaves
 * is found and deleted by the next start.
 */
export function makeOwnedFolder(): Promise<string> {
  const startTicks = processStat(process.pid)?.startTicks ?? 0;
  return mkdtemp(join(tmpdir(), `${folderPrefix}${pidNamespace()}-${process.pid}-${startTicks}-`));
}

/** True for the name of a folder that `makeOwnedFolder` made in a process of this pid namespace that is dead. */
export function isLeftBehind(name: string): boolean {
  const owner = ownerOf(name);
  if (owner === undefined || owner.pidNamespace !== pidNamespace()) return false;
  return processStat(owner.pid)?.startTicks !== owner.startTicks;
}

function ownerOf(name: string): FolderOwner | undefined {
  const [, namespace, pid, startTicks] = new RegExp(`^${folderPrefix}(\\d+)-(\\d+)-(\\d+)-`).exec(name) ?? [];
  if (namespace === undefined) return undefined;
  return { pidNamespace: namespace, pid: Number(pid), startTicks: Number(startTicks) };
}

/** The number in `pid:[4026531836]`. */
function pidNamespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
}

/** A folder for the jails' own small files, for this user alone: made when it is first asked for. */
export class PrivateFolder {
  private made: Promise<string> | undefined;

  path(): Promise<string> {
    this.made ??= makeOwnedFolder();
    return this.made;
  }

  async remove(): Promise<void> {
    const made = this.made;
    this.made = undefined;
    if (made) await rm(await made, { recursive: true, force: true });
  }
}
