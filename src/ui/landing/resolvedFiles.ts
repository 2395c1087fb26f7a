import { readFile, rm, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { sha256 } from '../../base/digest';
import { writeDurably } from '../../base/durableFile';
import { systemCodeOf } from '../../base/errors';
import { digestSchema, type TaskId, taskIdSchema } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import { mergeScheme } from '../ids';
import { LentFiles } from '../lentFiles';

/** What a file in conflict is on each side; what is not there is empty. */
export interface ConflictSides {
  readonly base: Uint8Array;
  readonly target: Uint8Array;
  readonly result: Uint8Array;
}

const addressSchema = z.object({ scheme: z.literal(mergeScheme), taskId: taskIdSchema, key: digestSchema });

/**
 * What the user makes of files in conflict: kept in a folder of ours and never in their repository, under names that are
 * nothing but digests. One whose three sides stay the same is kept as it is, so that it is resolved once, also when other files
 * of the branch change. Reached through a scheme of our own, so that nothing beside such a file is ever run.
 */
export class ResolvedFiles extends LentFiles implements Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<vscode.FileChangeEvent[]>());
  readonly onDidChangeFile = this.changed.event;

  constructor(
    private readonly folder: string,
    link: ExecutorLink,
  ) {
    super();
    const registration = vscode.workspace.registerFileSystemProvider(mergeScheme, this, { isCaseSensitive: true });
    this.store.add({ dispose: () => void registration.dispose() });
    this.store.add(
      link.onDidAppend((events) => {
        // What cannot be deleted now is at the next start.
        for (const event of events)
          if (isOver(event.kind) && 'taskId' in event) this.forget(event.taskId).catch(() => {});
      }),
    );
  }

  /** The address of a file that is to be resolved; what is there first is both versions, one after the other. */
  async open(taskId: TaskId, file: string, sides: ConflictSides): Promise<vscode.Uri> {
    const key = sha256([file, ...[sides.base, sides.target, sides.result].map((bytes) => sha256(bytes))].join('\0'));
    const uri = vscode.Uri.from({ scheme: mergeScheme, authority: taskId, path: `/${file}`, query: key });
    const place = this.placeOf(uri);
    if (await isThere(place)) return uri;
    await mkdir(path.dirname(place), { recursive: true, mode: 0o700 });
    await writeDurably(place, bothVersions(sides));
    return uri;
  }

  /** Whether the user said that this file is as it is to be. */
  async isDone(uri: vscode.Uri): Promise<boolean> {
    return isThere(`${this.placeOf(uri)}.done`);
  }

  async setDone(uri: vscode.Uri, done: boolean): Promise<void> {
    const mark = `${this.placeOf(uri)}.done`;
    await (done ? writeDurably(mark, '') : rm(mark, { force: true }));
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    try {
      const { ctimeMs, mtimeMs, size } = await stat(this.placeOf(uri));
      return { type: vscode.FileType.File, ctime: ctimeMs, mtime: mtimeMs, size };
    } catch (error) {
      throw notThere(error, uri);
    }
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    try {
      return await readFile(this.placeOf(uri));
    } catch (error) {
      throw notThere(error, uri);
    }
  }

  /** Only a file that is being resolved is written. */
  override async writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
    await this.stat(uri);
    await writeDurably(this.placeOf(uri), content);
    this.changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
  }

  /** Deletes what was kept for tasks that are not in conflict any more while nobody looked. */
  async sweep(isOpen: (taskId: TaskId) => boolean): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    for (const name of names) {
      const taskId = taskIdSchema.safeParse(name).data;
      if (taskId !== undefined && !isOpen(taskId)) await this.forget(taskId);
    }
  }

  dispose(): void {
    this.store.dispose();
  }

  private async forget(taskId: TaskId): Promise<void> {
    await rm(path.join(this.folder, taskIdSchema.parse(taskId)), { recursive: true, force: true });
  }

  private placeOf(uri: vscode.Uri): string {
    const address = addressSchema.safeParse({ scheme: uri.scheme, taskId: uri.authority, key: uri.query }).data;
    if (!address) throw vscode.FileSystemError.FileNotFound(uri);
    return path.join(this.folder, address.taskId, address.key);
  }
}

function isOver(kind: string): boolean {
  return kind === 'task.landed' || kind === 'task.discarded' || kind === 'task.requeued';
}

/** The merge editor begins anew with whatever has such marks, and joins what can be joined. */
function bothVersions({ target, result }: ConflictSides): Uint8Array {
  const mark = (text: string): Uint8Array => Buffer.from(`${text}\n`);
  return Buffer.concat([
    mark('<<<<<<< branch'),
    endingInLine(target),
    mark('======='),
    endingInLine(result),
    mark('>>>>>>> result'),
  ]);
}

function endingInLine(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 || bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}

async function isThere(place: string): Promise<boolean> {
  return stat(place).then(
    () => true,
    () => false,
  );
}

function notThere(error: unknown, uri: vscode.Uri): unknown {
  return systemCodeOf(error) === 'ENOENT' ? vscode.FileSystemError.FileNotFound(uri) : error;
}
