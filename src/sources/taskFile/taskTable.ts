import type { Diagnostic } from '../../core/diagnostic';
import { prioritySchema, type Priority } from '../../core/task';
import { tablesIn, type MarkdownTable, type TableCell, type TableRow } from './markdownTable';

/** What the statuses of a table are called when they are written. */
export const rowStatuses = ['Todo', 'In Progress', 'Blocked', 'Review', 'Done'] as const;
export type RowStatus = (typeof rowStatuses)[number];

/** Columns that mean something. The others are the task's context. */
export const knownColumns = [
  'id',
  'title',
  'status',
  'priority',
  'owner',
  'notes',
  'persona',
  'checks',
  'depends',
] as const;
export type KnownColumn = (typeof knownColumns)[number];

/** One row that can be told from all others. */
export interface TaskRow {
  readonly id: string;
  readonly line: number;
  readonly title: string;
  /** `null` for a word that is none of the statuses. */
  readonly status: RowStatus | null;
  readonly priority: Priority | null;
  /** Without the `@` before it; empty when the row has none. */
  readonly owner: string;
  readonly notes: string;
  readonly persona: string;
  /** Commands. */
  readonly checks: readonly string[];
  readonly depends: readonly string[];
  /** Columns that mean nothing to us, by their headers. */
  readonly others: Readonly<Record<string, string>>;
  readonly source: TableRow;
  /** The table that it stands in. */
  readonly part: TablePart;
}

/** One of a file's tables. */
export interface TablePart {
  /** Places of the columns. */
  readonly columns: ReadonlyMap<KnownColumn, number>;
  /** As it stands in the file. */
  readonly source: MarkdownTable;
}

/** All task tables of a file, whose rows are told apart by their IDs. */
export interface TaskTable {
  /** In the order of the file. */
  readonly parts: readonly [TablePart, ...TablePart[]];
  readonly rows: ReadonlyMap<string, TaskRow>;
  readonly diagnostics: readonly Diagnostic[];
}

/** The tables whose header has `ID`, `Title` and `Status`. `undefined` when the text has none. */
export function taskTableIn(text: string, path: string): TaskTable | undefined {
  const [first, ...others] = tablesIn(text).flatMap((source) => {
    const columns = columnsOf(source.header);
    return columns.has('id') && columns.has('title') && columns.has('status') ? [{ columns, source }] : [];
  });
  return first && readTable([first, ...others], path);
}

function columnsOf(header: TableRow): Map<KnownColumn, number> {
  const columns = new Map<KnownColumn, number>();
  header.cells.forEach((cell, index) => {
    const name = plainText(cell.text).toLowerCase();
    const column = knownColumns.find((known) => known === name || (known === 'depends' && name === 'depends on'));
    if (column !== undefined && !columns.has(column)) columns.set(column, index);
  });
  return columns;
}

function readTable(parts: TaskTable['parts'], path: string): TaskTable {
  const diagnostics: Diagnostic[] = [];
  const byId = new Map<string, TaskRow[]>();
  for (const part of parts) {
    for (const source of part.source.rows) {
      const report: Report = (severity, message, column) => {
        const cell = column === undefined ? undefined : source.cells[part.columns.get(column) ?? -1];
        const at = (cell?.start ?? source.start) - source.start + 1;
        diagnostics.push({ path, line: source.line, column: at, severity, message });
      };
      const row = readRow(part, source, report);
      if (row) byId.set(row.id, [...(byId.get(row.id) ?? []), row]);
    }
  }
  const rows = new Map<string, TaskRow>();
  for (const [id, [first, ...others]] of byId) {
    if (first && others.length === 0) rows.set(id, first);
    for (const { line } of first && others.length > 0 ? [first, ...others] : []) {
      const message = `The ID ${id} stands in more than one row, so none of them is worked on. Give each its own.`;
      diagnostics.push({ path, line, column: 1, severity: 'error', message });
    }
  }
  diagnostics.sort((a, b) => a.line - b.line);
  return { parts, rows, diagnostics };
}

type Report = (severity: Diagnostic['severity'], message: string, column?: KnownColumn) => void;

function readRow(part: TablePart, source: TableRow, report: Report): TaskRow | undefined {
  const { columns } = part;
  const { header } = part.source;
  const cell = (column: KnownColumn): string => source.cells[columns.get(column) ?? -1]?.text ?? '';
  const id = plainText(cell('id'));
  const title = plainText(cell('title'));
  if (source.cells.every(({ text }) => text === '')) return undefined;
  if (!source.isClear) report('error', 'It is not clear where the cells of this row end, so it is left alone.');
  else if (id === '') report('error', 'The row has no ID, so it is not worked on. Give it one.', 'id');
  else if (id.length > 100) report('error', 'The ID is longer than 100 characters, so the row is not worked on.', 'id');
  else if (title === '') report('error', `${id} has no title, so it is not worked on.`, 'title');
  else {
    if (source.cells.length > header.cells.length)
      report('warning', `${id} has more cells than the header; what is too much is not read. Is a | not escaped?`);
    return {
      id,
      title,
      line: source.line,
      status: readStatus(cell('status'), id, report),
      priority: readPriority(cell('priority'), id, report),
      owner: plainText(cell('owner')).replace(/^@/, ''),
      notes: cell('notes'),
      persona: plainText(cell('persona')),
      checks: readChecks(cell('checks')),
      depends: plainText(cell('depends'))
        .split(/[\s,;]+/)
        .filter((name) => name !== '' && name !== '-' && name !== '—'),
      others: otherCells(header.cells, source.cells, new Set(columns.values())),
      source,
      part,
    };
  }
  return undefined;
}

function readStatus(text: string, id: string, report: Report): RowStatus | null {
  const word = wordOf(text);
  const status = rowStatuses.find((known) => wordOf(known) === word);
  if (status === undefined) {
    const said = text === '' ? 'no status' : `the status “${text}”`;
    report('warning', `${id} has ${said}, so it is not worked on. Known are ${rowStatuses.join(', ')}.`, 'status');
  }
  return status ?? null;
}

function readPriority(text: string, id: string, report: Report): Priority | null {
  const word = plainText(text);
  if (word === '') return null;
  const parsed = prioritySchema.safeParse(Number(/\bP?([0-3])\b/i.exec(word)?.[1] ?? NaN));
  if (parsed.success) return parsed.data;
  report('warning', `${id} has the priority “${text}”, which is none of P0, P1, P2, P3; it counts as P2.`, 'priority');
  return null;
}

/** Each command in code marks is one; without any, the whole cell is. */
function readChecks(text: string): string[] {
  const marked = [...text.matchAll(/(`+)(.+?)\1(?!`)/g)].map(([, , command]) => command?.trim() ?? '');
  return (marked.length > 0 ? marked : [text]).filter((command) => command !== '');
}

function otherCells(
  header: readonly TableCell[],
  cells: readonly TableCell[],
  known: ReadonlySet<number>,
): Record<string, string> {
  return Object.fromEntries(
    header.flatMap(({ text }, index) => {
      const value = cells[index]?.text ?? '';
      return known.has(index) || text === '' || value === '' ? [] : [[text, value]];
    }),
  );
}

/** Letters and digits alone, so that `✅ Done`, `in-progress` and `**Todo**` are understood. */
function wordOf(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** A cell without the marks round it: links as their words, no emphasis, no code marks. */
export function plainText(text: string): string {
  const words = text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/<br\s*\/?>/gi, ' ');
  return words.replace(/^([*_~`]+)(.*?)\1$/s, '$2').trim();
}
