import path from 'node:path';
import { UserError } from '../../base/errors';
import { Mutex } from '../../base/mutex';
import { SourceUnreachableError } from '../../core/source';
import { readLocalText, removeLeftovers, replaceLocalText, stampAt } from '../localText';
import type { OwnWrites } from '../ownWrites';
import { editRow, type CellEdits } from './cellEdit';
import { taskTableIn, type TaskRow, type TaskTable } from './taskTable';

/** A table of this size has about 15,000 rows. Reading it takes 0.2 s, during which nothing else happens. */
export const maxTableBytes = 1024 * 1024;

/** How often a write is begun anew because somebody else has just written. */
const maxTries = 20;

/** One writer at a time in this process: the source of a table and the commands that change it. */
const writers = new Map<string, Mutex>();

/** A file with a task table in a repository. */
export class TaskFile {
  readonly path: string;
  private readonly writing: Mutex;

  constructor(
    private readonly repo: string,
    file: string,
    private readonly ownWrites: OwnWrites,
  ) {
    this.path = path.resolve(repo, file);
    if (!this.path.startsWith(repo + path.sep))
      throw new UserError('task-file-outside', `${file} is not in the repository ${repo}.`, { file, repo });
    this.writing = writers.get(this.path) ?? new Mutex();
    writers.set(this.path, this.writing);
  }

  /** Changes with every change of the file; `null` when it is not there. */
  stamp(): Promise<string | null> {
    return stampAt(this.path);
  }

  /** `undefined` when the file has no task table. @throws {UnreadableFileError} */
  async read(): Promise<TaskTable | undefined> {
    const { text } = await readLocalText(this.repo, this.path, maxTableBytes);
    return taskTableIn(text, this.path);
  }

  /**
   * Changes cells of one row, by the file as it is at this moment. `edit` is given the row (`undefined` when there is not
   * exactly one of this ID) and answers what its cells are to hold.
   * @throws {UnreadableFileError} @throws {UserError} `file-read-only` @throws {SourceUnreachableError} when the file never rests.
   */
  edit<T>(
    id: string,
    edit: (row: TaskRow | undefined) => { readonly edits: CellEdits; readonly result: T },
  ): Promise<T> {
    return this.rewrite((text, table) => {
      const row = table?.rows.get(id);
      const { edits, result } = edit(row);
      return { text: row ? editRow(text, row, edits) : text, result };
    });
  }

  /**
   * Changes the file by what it is at this moment: when somebody writes it meanwhile, `change` is asked again.
   * @throws as `edit` does.
   */
  rewrite<T>(
    change: (text: string, table: TaskTable | undefined) => { readonly text: string; readonly result: T },
  ): Promise<T> {
    return this.writing.run(async () => {
      for (let tries = 0; tries < maxTries; tries += 1) {
        const read = await readLocalText(this.repo, this.path, maxTableBytes);
        const { text, result } = change(read.text, taskTableIn(read.text, this.path));
        if (text === read.text) return result;
        if (await replaceLocalText(this.path, text, read)) {
          await this.ownWrites.note(this.path);
          return result;
        }
      }
      throw new SourceUnreachableError(`${this.path} is written by somebody else all the time.`);
    });
  }

  removeLeftovers(): Promise<void> {
    return removeLeftovers(this.path);
  }
}
