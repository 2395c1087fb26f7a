import { makeVisible } from '../../base/visible';
import { oneLine } from '../markdownText';

/** The building blocks of a report: plain text, in which foreign text can pass for nothing else. */

export function title(text: string): string {
  return underlined(text, '=');
}

export function heading(text: string): string {
  return underlined(text, '-');
}

/** What an editor beside the side bar shows without scrolling to the right. */
const maxColumns = 90;

/** Names and values in two columns, long values on several lines; what has no value is left out. */
export function fields(rows: readonly (readonly [string, string])[]): string {
  const told = rows.filter(([, value]) => value !== '');
  const width = Math.max(0, ...told.map(([name]) => name.length));
  const indent = ' '.repeat(width + 3);
  return told
    .map(([name, value]) => {
      const lines = wrapped(oneLine(value, 2000), maxColumns - indent.length);
      return `${`${name}:`.padEnd(indent.length)}${lines.join(`\n${indent}`)}`;
    })
    .join('\n');
}

/** A line broken between words; a word that is longer than a line stays whole. */
function wrapped(line: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of line.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Foreign text of many lines, with a bar before each. */
export function quoted(text: string): string {
  const lines = makeVisible(text.replace(/\r\n?/g, '\n')).replace(/\n+$/, '').split('\n');
  return lines.map((line) => `  │ ${line}`.trimEnd()).join('\n');
}

/** Rows in aligned columns, the first one their names. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => oneLine(cell, 120)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return lines.join('\n');
}

/** The parts of a report with a line between them. */
export function report(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function underlined(text: string, line: string): string {
  const flat = oneLine(text, 200);
  return `${flat}\n${line.repeat(Math.min(100, flat.length))}`;
}
