import { makeVisible } from './visible';

const longestCell = 200;

/** A table in Markdown, whose first row is its header. What is in a cell is no Markdown, and stands on one line. */
export function markdownTable([header = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inertCell).join(' | ')} |\n`;
  return [line(header), `|${header.map(() => ' --- |').join('')}\n`, ...rows.map(line)].join('');
}

function inertCell(text: string): string {
  const flat = makeVisible(text.replace(/\s+/g, ' ').trim());
  const cut = flat.length > longestCell ? `${flat.slice(0, longestCell - 1)}…` : flat;
  return cut.replace(/[\\|`*_<[\]]/g, '\\$&');
}
