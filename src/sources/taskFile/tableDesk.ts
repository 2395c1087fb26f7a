import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf, UserError } from '../../base/errors';
import type { TaskState } from '../../core/liveState';
import { dependenciesFirst } from '../../core/offerOrder';
import type { RowCells, RowChange, RowTasks, TableView, TaskTables } from '../../core/taskTables';
import { requireWithin, UnreadableFileError } from '../localText';
import { OwnWrites } from '../ownWrites';
import { rowIdOf, rowsOnOffer } from './rowOffer';
import { insertRow, newTableText, nextId } from './rowInsert';
import { TaskFile } from './taskFile';
import { taskFileSourceId } from './taskFileSource';
import type { TaskRow, TaskTable } from './taskTable';

/** The tables of repositories, for people who change them by commands. */
export function createTableDesk(agent: () => string): TaskTables {
  return new TableDesk(agent);
}

class TableDesk implements TaskTables {
  constructor(private readonly agent: () => string) {}

  async read(repo: string, file: string): Promise<TableView | undefined> {
    const table = await this.tableOf(repo, file);
    if (!table) return undefined;
    return {
      path: path.resolve(repo, file),
      sourceId: taskFileSourceId(repo, file),
      rows: [...table.rows.values()].map(({ id, line, title, status, priority, owner, notes, part }) => ({
        id,
        line,
        title,
        status,
        priority,
        owner,
        notes,
        columns: [...part.columns.keys()],
      })),
    };
  }

  async add(repo: string, file: string, cells: RowCells & { readonly title: string }): Promise<string> {
    const place = fileOf(repo, file);
    await readable(place.path, () => makeFile(repo, place.path));
    return readable(place.path, () =>
      place.rewrite((text, table) => {
        if (!table) throw noTable(place.path);
        // Rows that are not clear have IDs too.
        const id = nextId(
          table.parts.flatMap(({ source, columns }) =>
            source.rows.map((row) => row.cells[columns.get('id') ?? -1]?.text ?? ''),
          ),
        );
        return { text: insertRow(text, table.parts[0], { status: 'Todo', ...cells, id }), result: id };
      }),
    );
  }

  async edit(repo: string, file: string, { id, cells, was }: RowChange): Promise<void> {
    const place = fileOf(repo, file);
    await readable(place.path, () =>
      place.edit(id, (row) => {
        if (!row) throw new UserError('row-gone', `${id} is not in ${file} any more, or more than once.`, { id });
        const changed = Object.entries(was ?? {}).find(([column, seen]) => textOf(row, column) !== seen);
        if (changed) {
          const message = `Somebody has changed the ${changed[0]} of ${id} meanwhile. Nothing was written; look at it again.`;
          throw new UserError('row-changed', message, { id });
        }
        return { edits: cells, result: undefined };
      }),
    );
  }

  async tasksOf(repo: string, file: string, ids: readonly string[], known: readonly TaskState[]): Promise<RowTasks> {
    const table = await this.tableOf(repo, file);
    if (!table) throw noTable(path.resolve(repo, file));
    const rows = { accepts: (row: TaskRow) => ids.includes(row.id) };
    const options = { path: path.resolve(repo, file), repo, agent: this.agent(), rows, known };
    const { tasks, diagnostics } = rowsOnOffer(table, options);
    const offered = new Set(tasks.map(({ externalId }) => rowIdOf(externalId)));
    const left = ids
      .filter((id) => !offered.has(id))
      .map((id) => ({ id, reason: whyNot(table.rows.get(id), diagnostics, this.agent()) }));
    return { tasks: dependenciesFirst(tasks), left };
  }

  private tableOf(repo: string, file: string): Promise<TaskTable | undefined> {
    const place = fileOf(repo, file);
    return readable(place.path, async () => {
      try {
        return await place.read();
      } catch (error) {
        if (error instanceof UnreadableFileError && error.kind === 'missing') return undefined;
        throw error;
      }
    });
  }
}

function fileOf(repo: string, file: string): TaskFile {
  return new TaskFile(repo, file, new OwnWrites());
}

async function readable<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new UserError('task-file-unreadable', `${file} cannot be used: ${error.message}`, {}, { cause: error });
  }
}

async function makeFile(repo: string, file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  // A folder on the way may be a link to elsewhere.
  await requireWithin(repo, file);
  try {
    await writeFile(file, newTableText, { flag: 'wx' });
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
}

function noTable(file: string): UserError {
  return new UserError('task-file-unreadable', `${file} has no table with the columns ID, Title and Status.`);
}

function textOf(row: TaskRow, column: string): string | undefined {
  switch (column) {
    case 'title':
      return row.title;
    case 'notes':
      return row.notes;
    case 'owner':
      return row.owner;
    case 'status':
      return row.status ?? '';
    case 'priority':
      return row.priority === null ? '' : `P${row.priority}`;
    default:
      return undefined;
  }
}

function whyNot(
  row: TaskRow | undefined,
  diagnostics: readonly { line: number; message: string }[],
  agent: string,
): string {
  if (!row) return 'it is not in the table any more, or more than once';
  if (row.status !== 'Todo') return `it is ${row.status ?? 'of an unknown status'}, not Todo`;
  if (row.owner !== '' && row.owner.toLowerCase() !== agent.toLowerCase()) return `it belongs to ${row.owner}`;
  const said = diagnostics.find(({ line }) => line === row.line)?.message;
  return said ?? `it depends on ${row.depends.join(', ')}: queue that too`;
}
