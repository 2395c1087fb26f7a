import path from 'node:path';
import type { Clock } from '../../base/clock';
import { sha256 } from '../../base/digest';
import { messageOf, UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { Diagnostic, DiagnosticSink } from '../../core/diagnostic';
import type { KnownTasks } from '../../core/knownTasks';
import type { AcceptAnswer, Report, ReportBody, SourceHealth, SourceListener, TaskSource } from '../../core/source';
import { UnreadableFileError } from '../localText';
import type { OwnWrites } from '../ownWrites';
import { Poller, type LookResult } from '../poller';
import type { CellEdits } from './cellEdit';
import type { RowChoice } from './rowChoice';
import { notesWith, statusAfter, statusOfNote } from './rowNote';
import { isFree, rowIdOf, rowsOnOffer } from './rowOffer';
import { TaskFile } from './taskFile';
import type { TaskRow } from './taskTable';

/** Whether the file has changed is one `lstat`; it is read only then. */
const lookEveryMs = 2_000;

export interface TaskFileOptions {
  /** Absolute path of the repository that the file lies in and its tasks are for. */
  readonly repo: string;
  /** Relative to the repository. */
  readonly file: string;
  /** The owner that rows get when they are taken. */
  readonly agent: string;
  readonly rows: RowChoice;
  /** True: that there is no such file is nothing wrong. What came from it stays queued all the same. */
  readonly mayBeMissing: boolean;
  /** True: nothing is said of what is wrong with it, for no row is taken unless the user queues it. Absent: false. */
  readonly isQuiet?: boolean;
  readonly known: KnownTasks;
  readonly ownWrites: OwnWrites;
  readonly onDiagnostics: DiagnosticSink;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The source id of a table: the same file is the same source after a restart. */
export function taskFileSourceId(repo: string, file: string): string {
  const id = `table:${path.join(repo, file)}`;
  return id.length <= 200 ? id : `table:${sha256(id)}`;
}

/** The table of tasks in a Markdown file as a source. @throws {UserError} `task-file-outside`. */
export function createTaskFileSource(options: TaskFileOptions): TaskSource {
  return new TaskFileSource(options);
}

class TaskFileSource implements TaskSource {
  readonly id: string;
  /** What stands in the row's note is written anew. */
  readonly amends = true;
  private readonly file: TaskFile;
  private readonly poller: Poller;
  private listener: SourceListener | undefined;
  private seen: string | null | undefined;
  private offered: readonly string[] = [];
  private health = '';
  private told = '[]';

  constructor(private readonly options: TaskFileOptions) {
    this.id = taskFileSourceId(options.repo, options.file);
    this.file = new TaskFile(options.repo, options.file, options.ownWrites);
    this.poller = new Poller({ look: () => this.look(), intervalMs: lookEveryMs, clock: options.clock });
  }

  start(listener: SourceListener): void {
    this.listener = listener;
    this.poller.now();
  }

  refresh(): void {
    this.seen = undefined;
    if (this.listener) this.poller.now();
  }

  async accept(externalId: string, options?: { readonly isRepeat: boolean }): Promise<AcceptAnswer> {
    const id = rowIdOf(externalId);
    const { agent } = this.options;
    return this.edit(id, (row): { edits: CellEdits; result: AcceptAnswer } => {
      if (!row) return refused(`${id} is not in ${this.options.file} any more, or more than once.`);
      if (!isFree(row, agent)) return refused(`${id} belongs to ${row.owner} now.`);
      // Ours already: an earlier call wrote it, and nobody heard of that.
      const isOurs = options?.isRepeat !== false && row.status === 'In Progress';
      if (row.status !== 'Todo' && !isOurs) return refused(`${id} is ${row.status ?? 'of an unknown status'} now.`);
      return { edits: { status: 'In Progress', ...owned(row, agent) }, result: { kind: 'accepted' } };
    });
  }

  /** A row that a person retries shows that it is in work again. */
  async progress(externalId: string): Promise<void> {
    await this.edit(rowIdOf(externalId), (row) => {
      const isRetried = row && (row.status === 'Blocked' || row.status === 'Review') && isAsWeLeftIt(row);
      return { edits: isRetried ? { status: 'In Progress' } : {}, result: undefined };
    });
  }

  async report(report: Report, body: ReportBody): Promise<void> {
    const id = rowIdOf(report.externalId);
    const status = statusAfter(body.outcome);
    const left = await this.edit(id, (row) => {
      if (!row) return { edits: {}, result: 'gone' };
      const notes = notesWith(row.notes, body);
      if (row.status === 'In Progress' || isAsWeLeftIt(row)) return { edits: { status, notes }, result: null };
      return { edits: { notes }, result: row.status ?? 'another status' };
    });
    if (left === 'gone') {
      const message = `${id} is not in ${this.options.file} any more, or more than once, so its outcome (${body.outcome}) was not written.`;
      throw new UserError('task-row-gone', message, { id });
    }
    if (left !== null && left !== status) {
      this.options.logger.warn(`Somebody has set ${id} to ${left}; it stays so`, { outcome: body.outcome, id });
    }
  }

  dispose(): void {
    this.listener = undefined;
    this.poller.dispose();
    this.options.onDiagnostics(this.id, []);
  }

  /** What cannot be read cannot be written: the report waits in the dead letters, and a task waits for the user. */
  private async edit<T>(
    id: string,
    edit: (row: TaskRow | undefined) => { readonly edits: CellEdits; readonly result: T },
  ): Promise<T> {
    try {
      return await this.file.edit(id, edit);
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      throw new UserError(
        'task-file-unreadable',
        `${this.file.path} cannot be used: ${error.message}`,
        {},
        { cause: error },
      );
    }
  }

  /** Never rejects. */
  private async look(): Promise<LookResult> {
    try {
      if (this.seen === undefined) await this.file.removeLeftovers();
      const stamp = await this.file.stamp();
      const isNews = this.seen === undefined || stamp !== this.seen || !this.isTaken();
      this.seen = stamp;
      if (isNews) await this.offer();
    } catch (error) {
      this.noteFailure(error);
    }
    // The file may be there again at any moment: looking is cheap.
    return { kind: 'looked' };
  }

  /** False while something that was offered could not be taken, because there was no room for it: it comes again. */
  private isTaken(): boolean {
    if (this.offered.length === 0) return true;
    const known = new Set(this.options.known(this.id).map(({ spec }) => spec.origin.externalId));
    return this.offered.every((externalId) => known.has(externalId));
  }

  private async offer(): Promise<void> {
    const { agent, rows, repo, known } = this.options;
    const table = await this.file.read();
    if (!this.listener) return;
    if (!table) throw new UnreadableFileError('unfit', 'It has no table with the columns ID, Title and Status.');
    const offer = rowsOnOffer(table, { path: this.file.path, repo, agent, rows, known: known(this.id) });
    this.diagnose([...table.diagnostics, ...offer.diagnostics]);
    // In this order: whoever waits for the sources to have been looked at must see what they offer.
    this.offered = offer.tasks.map(({ externalId }) => externalId);
    this.listener.offer({ tasks: offer.tasks, complete: true, problems: [] });
    this.tellHealth({ kind: 'ok' });
  }

  private noteFailure(error: unknown): void {
    const isForeseen = error instanceof UnreadableFileError;
    if (isForeseen && error.kind === 'missing' && this.options.mayBeMissing) {
      this.diagnose([]);
      return this.tellHealth({ kind: 'absent', message: error.message });
    }
    if (isForeseen && this.options.isQuiet) return this.tellHealth({ kind: 'ok' });
    if (!isForeseen) this.options.logger.error('A task table could not be read', error, { path: this.file.path });
    const message = `The task table cannot be read: ${messageOf(error)}`;
    this.diagnose([{ path: this.file.path, line: 1, column: 1, severity: 'error', message }]);
    this.tellHealth({ kind: 'down', message: `${this.file.path}: ${messageOf(error)}` });
  }

  private tellHealth(health: SourceHealth): void {
    const told = JSON.stringify(health);
    if (this.health === told) return;
    this.health = told;
    this.listener?.health(health);
  }

  private diagnose(diagnostics: readonly Diagnostic[]): void {
    const now = JSON.stringify(diagnostics);
    if (now === this.told || this.options.isQuiet) return;
    this.told = now;
    this.options.onDiagnostics(this.id, diagnostics);
  }
}

function refused(reason: string): { readonly edits: CellEdits; readonly result: AcceptAnswer } {
  return { edits: {}, result: { kind: 'unavailable', reason } };
}

function owned(row: TaskRow, agent: string): { readonly owner?: string } {
  return row.owner === '' ? { owner: agent } : {};
}

/** Its status is the one that our own note in it goes with. */
function isAsWeLeftIt(row: TaskRow): boolean {
  return row.status !== null && statusOfNote(row.notes) === row.status;
}
