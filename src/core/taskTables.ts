import type { TaskState } from './liveState';
import type { OfferedTask } from './source';
import type { Priority } from './task';

/** One row of a task table, for people. */
export interface TableRow {
  readonly id: string;
  /** From 1. */
  readonly line: number;
  readonly title: string;
  /** `null` for a word that is none of the statuses. */
  readonly status: string | null;
  readonly priority: Priority | null;
  readonly owner: string;
  readonly notes: string;
  /** Columns that are understood and that its table has. */
  readonly columns: readonly string[];
}

/** All tables of a file. */
export interface TableView {
  /** Absolute path of the file. */
  readonly path: string;
  /** The source that works this table. */
  readonly sourceId: string;
  readonly rows: readonly TableRow[];
}

/** What cells are to hold, by column. A column that the table does not have is left out. */
export type RowCells = Readonly<
  Partial<Record<'title' | 'status' | 'priority' | 'owner' | 'notes' | 'persona' | 'checks' | 'depends', string>>
>;

/** The statuses that a row can have. */
export const tableStatuses = ['Todo', 'In Progress', 'Blocked', 'Review', 'Done'] as const;

/** Rows as tasks. */
export interface RowTasks {
  /** Dependencies first. */
  readonly tasks: readonly OfferedTask[];
  /** Rows that cannot be worked on now, and why. */
  readonly left: readonly { readonly id: string; readonly reason: string }[];
}

/** Reads and writes the task tables of repositories: cell by cell, by the file as it is at this moment. */
export interface TaskTables {
  /** `undefined` when there is no such file. @throws {UserError} `task-file-unreadable`, `task-file-outside`. */
  read(repo: string, file: string): Promise<TableView | undefined>;
  /** Adds a row at the end of the file’s first table, and the file where there is none. @returns Its ID. @throws {UserError} */
  add(repo: string, file: string, cells: RowCells & { readonly title: string }): Promise<string>;
  /**
   * Changes cells of one row.
   * @param was What the user has seen in these cells; when somebody has changed one meanwhile, nothing is written. Absent: never mind.
   * @throws {UserError} `row-gone`, `row-changed`, `task-file-unreadable`, `file-read-only`.
   */
  edit(repo: string, file: string, change: RowChange): Promise<void>;
  /** @param known The tasks that came from this table. @throws {UserError} */
  tasksOf(repo: string, file: string, ids: readonly string[], known: readonly TaskState[]): Promise<RowTasks>;
}

export interface RowChange {
  readonly id: string;
  readonly cells: RowCells;
  readonly was?: RowCells;
}
