import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Disposable } from '../../base/disposable';
import type { ProcessIdentity } from '../../core/session';
import { isAlive, processTree } from '../procfs';
import { repeat } from './repeat';
import type { LimitWatchOptions } from './watchLimits';

const everyMs = 200;

/**
 * Ends a jail whose writable folders have grown past `maxBytes` together, files that it has deleted and still holds open
 * included. Asking the file system how much room is left costs next to nothing, so the folders themselves are measured only
 * at the start and when it has lost half of what they may still grow by.
 */
export function watchDisk(
  first: ProcessIdentity,
  folders: readonly string[],
  maxBytes: number,
  { clock, onBreach }: LimitWatchOptions,
): Disposable {
  let measured: { readonly bytes: number; readonly freeBytes: number } | undefined;
  return repeat(clock, everyMs, async () => {
    if (!isAlive(first)) return undefined;
    const freeBytes = await freeBytesOf(folders);
    const lost = measured ? measured.freeBytes - freeBytes : Number.POSITIVE_INFINITY;
    if (lost < (maxBytes - (measured?.bytes ?? 0)) / 2) return everyMs;
    const bytes = (await treeBytes(folders)) + deletedBytes(first.pid, folders);
    measured = { bytes, freeBytes };
    if (bytes <= maxBytes) return everyMs;
    onBreach({ limit: 'diskBytes', detail: `uses ${bytes} bytes of disk of ${maxBytes}` });
    return undefined;
  });
}

async function freeBytesOf(folders: readonly string[]): Promise<number> {
  const all = await Promise.all(folders.map((folder) => statfs(folder).catch(() => undefined)));
  return all.reduce((sum, stats) => sum + (stats ? stats.bfree * stats.bsize : 0), 0);
}

/** Allocated bytes, counted by `du`: it follows no link and copes with any depth and any name. */
function treeBytes(folders: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const argv = ['--summarize', '--one-file-system', '--block-size=1', '--total', '--', ...folders];
    // It exits with 1 when files vanish while it looks; its total still stands.
    execFile('du', argv, { env: { LC_ALL: 'C', PATH: process.env['PATH'] } }, (_error, stdout) => {
      resolve(Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? 0));
    });
  });
}

/** What open files take that no folder names any more. */
function deletedBytes(firstPid: number, folders: readonly string[]): number {
  const devices = new Set(folders.map(deviceOf));
  const sizes = new Map<string, number>();
  for (const pid of processTree(firstPid)) {
    for (const path of openFilesOf(pid)) {
      const file = deletedFile(path);
      if (file && devices.has(file.device)) sizes.set(`${file.device}:${file.inode}`, file.bytes);
    }
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function deviceOf(folder: string): number | undefined {
  try {
    return lstatSync(folder).dev;
  } catch {
    return undefined;
  }
}

function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((fd) => `${folder}/${fd}`);
  } catch {
    return [];
  }
}

function deletedFile(path: string): { device: number; inode: number; bytes: number } | undefined {
  try {
    if (!readlinkSync(path).endsWith(' (deleted)')) return undefined;
    // Through `/proc` this asks the open file itself: no path is walked.
    const { dev, ino, blocks, nlink } = statSync(path);
    return nlink === 0 ? { device: dev, inode: ino, bytes: blocks * 512 } : undefined;
  } catch {
    return undefined;
  }
}
