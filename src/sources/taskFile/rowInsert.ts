import { escapeBars } from './cellEdit';
import type { CellEdits } from './cellEdit';
import type { TablePart } from './taskTable';

/** A table to begin with. */
export const newTableText = `# Tasks

| ID | Title | Status | Priority | Owner | Notes | Checks | Depends |
| --- | --- | --- | --- | --- | --- | --- | --- |
`;

/** The text with a row more at the table's end, and every other character as it was. */
export function insertRow(text: string, table: TablePart, cells: CellEdits): string {
  const { header, rows } = table.source;
  // Without rows, it goes behind the line of dashes that follows the header.
  const last = rows.at(-1)?.end ?? lineEnd(text, header.end + endingAt(text, header.end).length);
  const ending = endingAt(text, header.end) || '\n';
  const like = rows.at(-1) ?? header;
  const contents = header.cells.map((_, index) => {
    const column = [...table.columns].find(([, place]) => place === index)?.[0];
    return escapeBars(column === undefined ? '' : (cells[column] ?? ''));
  });
  const widths = contents.map((_, index) => {
    const cell = like.cells[index];
    return cell ? Math.max(0, cell.end - cell.start - 2) : 0;
  });
  const line = `| ${contents.map((content, index) => content.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  return text.slice(0, last) + ending + line + text.slice(last);
}

/** An ID that no row has: the number after the highest one, in the words of the last row that has a number. */
export function nextId(ids: readonly string[]): string {
  const numbered = ids.flatMap((id) => {
    const [, prefix, digits] = /^(.*?)(\d{1,9})$/.exec(id) ?? [];
    return prefix === undefined || digits === undefined ? [] : [{ prefix, digits }];
  });
  const last = numbered.at(-1);
  if (!last) return 'T-1';
  const alike = numbered.filter(({ prefix }) => prefix === last.prefix);
  const highest = Math.max(...alike.map(({ digits }) => Number(digits)));
  return last.prefix + String(highest + 1).padStart(last.digits.length, '0');
}

function endingAt(text: string, at: number): string {
  return /^(?:\r\n?|\n)/.exec(text.slice(at, at + 2))?.[0] ?? '';
}

function lineEnd(text: string, from: number): number {
  const found = /[\r\n]/.exec(text.slice(from));
  return found ? from + found.index : text.length;
}
