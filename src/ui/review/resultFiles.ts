import * as vscode from 'vscode';
import { type Disposable, toDisposable } from '../../base/disposable';
import type { Executor } from '../../core/executor';
import type { ExecutorLink } from '../executorLink';
import { resultScheme } from '../ids';
import { LentFiles } from '../lentFiles';
import { fromUriParts, type ReviewFile, toUriParts } from './resultUri';
import { snapshotCommit } from './snapshotWords';

/** The address under which VS Code opens a file of a result. */
export function resultUri(file: ReviewFile): vscode.Uri {
  return vscode.Uri.from({ scheme: resultScheme, ...toUriParts(file) });
}

/** Files that were just read: VS Code asks for the size of each before it reads it. */
const maxKept = 64;
const maxKeptBytes = 4 * 1024 * 1024;

/**
 * Files of results and their bases, read-only, from git objects. Text and binary files alike, so that VS Code's own image
 * and hex views work. Nothing is on disk, so nothing beside a file is ever run.
 */
export class ResultFiles extends LentFiles {
  private readonly changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changed.event;
  private readonly kept = new Map<string, Uint8Array>();

  constructor(private readonly link: ExecutorLink) {
    super();
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const bytes = await this.readFile(uri);
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime: 0,
      size: bytes.byteLength,
      permissions: vscode.FilePermission.Readonly,
    };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const key = uri.toString();
    const kept = this.kept.get(key);
    if (kept) return kept;
    const file = fromUriParts(uri);
    if (!file) throw vscode.FileSystemError.FileNotFound(uri);
    // After a reload a restored tab asks before the executor is open; until then nothing is known of any task.
    const executor = await this.link.ready();
    if (!this.isCurrent(file)) throw vscode.FileSystemError.FileNotFound(uri);
    const bytes = await read(executor, file);
    if (!bytes) throw vscode.FileSystemError.FileNotFound(uri);
    this.keep(key, bytes);
    return bytes;
  }

  /** The executor answers for a task's last run alone. */
  private isCurrent(file: ReviewFile): boolean {
    const { tasks, runs } = this.link.state;
    if (file.side === 'conflict') return tasks.get(file.taskId)?.landing?.conflict?.target === file.commit;
    const run = runs.get(tasks.get(file.taskId)?.runId ?? '');
    if (!run) return false;
    return (file.side === 'snapshot' ? snapshotCommit(run, file.index) : run.commit) === file.commit;
  }

  private keep(key: string, bytes: Uint8Array): void {
    if (bytes.byteLength > maxKeptBytes) return;
    this.kept.set(key, bytes);
    const [oldest] = this.kept.keys();
    if (this.kept.size > maxKept && oldest !== undefined) this.kept.delete(oldest);
  }
}

async function read(executor: Executor, file: ReviewFile): Promise<Uint8Array | undefined> {
  switch (file.side) {
    case 'snapshot':
      return executor.readSnapshotFile(file.taskId, file.index, file.path);
    case 'conflict':
      // What is not there is nothing that was changed.
      return (await executor.readConflictFile(file.taskId, file.of, file.path)) ?? new Uint8Array();
    default:
      return executor.readResultFile(file.taskId, file.side, file.path);
  }
}

export function registerResultFiles(link: ExecutorLink): Disposable {
  const registration = vscode.workspace.registerFileSystemProvider(resultScheme, new ResultFiles(link), {
    isCaseSensitive: true,
    isReadonly: true,
  });
  return toDisposable(() => void registration.dispose());
}
