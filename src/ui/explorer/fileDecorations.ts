import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { isUserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { TaskId } from '../../core/ids';
import { runOf, type RunState } from '../../core/liveState';
import { Coalescer } from '../coalescer';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { openFolders } from '../repositories';
import { isSeenIn, TouchedFiles } from './touchedFiles';

/** What has changed is asked for at most so often. */
const intervalMs = 1000;
const badge = '◆';

/** Marks in the explorer the files that tasks are changing in their workspaces while they run. The files themselves are untouched. */
export class FileDecorations implements vscode.FileDecorationProvider, Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<vscode.Uri[]>());
  readonly onDidChangeFileDecorations = this.changed.event;
  private readonly touched = new TouchedFiles();
  private readonly due = new Set<TaskId>();
  private isLooking = false;
  private readonly coalescer: Coalescer;

  constructor(
    private readonly link: ExecutorLink,
    clock: Clock,
    private readonly logger: Logger,
  ) {
    this.coalescer = this.store.add(new Coalescer(clock, intervalMs, () => void this.lookAtDue()));
    this.store.add(
      link.onDidAppend((events) => {
        for (const event of events) {
          const isAbout =
            event.kind === 'snapshot.taken' || event.kind === 'snapshot.restored' || event.kind === 'run.ended';
          const taskId = isAbout ? link.state.runs.get(event.runId)?.taskId : undefined;
          if (taskId !== undefined) this.lookLater([taskId]);
        }
      }),
    );
    this.store.add(link.onDidReset(() => this.lookLater([...this.touched.tasks, ...runningTasks(link)])));
    this.store.add(vscode.workspace.onDidChangeWorkspaceFolders(() => this.lookLater(runningTasks(link))));
    this.store.add(vscode.window.registerFileDecorationProvider(this));
    this.lookLater(runningTasks(link));
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== 'file') return undefined;
    const titles = this.touched
      .tasksOf(uri.fsPath)
      .map((taskId) => `“${oneLine(this.link.state.tasks.get(taskId)?.spec.title ?? taskId, 80)}”`);
    if (titles.length === 0) return undefined;
    const tooltip = l10n.t('Being changed by Airlock: {0}', titles.join(', '));
    return { badge, tooltip, color: new vscode.ThemeColor('charts.blue'), propagate: true };
  }

  dispose(): void {
    this.store.dispose();
  }

  private lookLater(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.due.add(taskId);
    if (this.due.size > 0) this.coalescer.trigger();
  }

  /** One after another, with what becomes due meanwhile: an answer never comes after that to a later question. Never rejects. */
  private async lookAtDue(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    for (const taskId of this.due) {
      this.due.delete(taskId);
      try {
        await this.look(taskId);
      } catch (error) {
        // A run that has just ended has no snapshots to compare any more.
        if (!isUserError(error)) this.logger.warn('What a task changes could not be shown', { taskId });
      }
    }
    this.isLooking = false;
  }

  private async look(taskId: TaskId): Promise<void> {
    const run = runningRun(this.link, taskId);
    const last = run?.snapshots.at(-1)?.index ?? 0;
    // To compare costs a look at the whole tree: not for files that no folder of this window shows.
    if (!run || last === 0 || !isSeenIn(openFolders(), run.repo)) return this.show(this.touched.remove(taskId));
    const files = await (await this.link.ready()).snapshotChanges(taskId, 0, last);
    // It may have ended meanwhile.
    const isRunning = runningRun(this.link, taskId)?.id === run.id;
    this.show(isRunning ? this.touched.set(taskId, run.repo, files) : this.touched.remove(taskId));
  }

  private show(files: readonly string[]): void {
    if (files.length > 0) this.changed.fire(files.map((file) => vscode.Uri.file(file)));
  }
}

function runningRun({ state }: ExecutorLink, taskId: TaskId): RunState | undefined {
  const task = state.tasks.get(taskId);
  const run = task && runOf(state, task);
  return run?.outcome === null ? run : undefined;
}

function runningTasks(link: ExecutorLink): TaskId[] {
  return [...link.state.tasks.keys()].filter((taskId) => runningRun(link, taskId) !== undefined);
}
