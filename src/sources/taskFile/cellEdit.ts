import { makeVisible } from '../../base/visible';
import type { KnownColumn, TaskRow } from './taskTable';

/** What some cells of a row are to hold, as plain text. Columns that the table does not have are left out. */
export type CellEdits = Partial<Readonly<Record<KnownColumn, string>>>;

/** The text with these cells of one row changed, and every other character as it was. */
export function editRow(text: string, row: TaskRow, edits: CellEdits): string {
  const { source, part } = row;
  const changes: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  const missing = new Map<number, string>();
  for (const [column, index] of part.columns) {
    const wanted = edits[column];
    const cell = source.cells[index];
    if (wanted === undefined || (cell?.text ?? '') === wanted) continue;
    if (!cell) missing.set(index, wanted);
    else changes.push({ ...cell, text: fitted(text.slice(cell.start, cell.end), escapeBars(wanted)) });
  }
  const added = cellsBehind(text.slice(source.start, source.end), source.cells.length, missing);
  changes.push({ start: source.end, end: source.end, text: added });
  return changes
    .sort((a, b) => b.start - a.start)
    .reduce((result, change) => result.slice(0, change.start) + change.text + result.slice(change.end), text);
}

/** Text that may come from anywhere, as one line that Markdown shows as it is. */
export function cellText(text: string, maxLength = 200): string {
  const line = makeVisible(text.replace(/\s+/g, ' ').trim());
  const short = line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
  return short.replace(/[\\`*_[\]<>]/g, '\\$&');
}

/** A bar that is not behind a backslash would end the cell. A backslash at the end would swallow the next bar. */
export function escapeBars(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('|', '\\|')
    .replace(/\\$/, '\\ ');
}

/** The new content between the bars: the white space stays, and so does the width where there is room. */
function fitted(old: string, content: string): string {
  const width = old.length;
  if (old.trim() === '')
    return width === 0 ? ` ${content} ` : ` ${content}`.padEnd(Math.max(width, content.length + 2));
  const left = /^\s*/.exec(old)?.[0] ?? '';
  const right = /\s*$/.exec(old)?.[0] ?? '';
  if (left.length > right.length) {
    // It is aligned to the right.
    return content.padStart(Math.max(width - right.length, content.length + Math.min(1, left.length))) + right;
  }
  return (left + content).padEnd(Math.max(width, left.length + content.length + Math.min(1, right.length)));
}

/** What is to be written behind a row that has fewer cells than the header. */
function cellsBehind(line: string, count: number, missing: ReadonlyMap<number, string>): string {
  const last = Math.max(-1, ...missing.keys());
  if (last < 0) return '';
  const contents = Array.from({ length: last + 1 - count }, (_, index) => missing.get(count + index) ?? '');
  const cells = contents.map((content) => (content === '' ? '  ' : ` ${escapeBars(content)} `));
  const endsWithBar = /(?<!\\)\|\s*$/.test(line);
  return endsWithBar ? `${cells.join('|')}|` : ` |${cells.join('|')}`.trimEnd();
}
