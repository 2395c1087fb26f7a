import MarkdownIt, { type Token } from 'markdown-it';

/** One cell as it stands between its bars, with its white space. */
export interface TableCell {
  /** Offsets into the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** What stands in it, trimmed, escaped bars unescaped. */
  readonly text: string;
}

export interface TableRow {
  /** From 1. */
  readonly line: number;
  /** Where the line begins and where it ends, its line ending not counted. */
  readonly start: number;
  readonly end: number;
  /** As many as are written: a row may have fewer cells than the header, or more. */
  readonly cells: readonly TableCell[];
  /** False when our own reading of the row is not what Markdown makes of it: then it is left alone. */
  readonly isClear: boolean;
}

export interface MarkdownTable {
  readonly header: TableRow;
  readonly rows: readonly TableRow[];
}

interface Line {
  readonly start: number;
  readonly end: number;
}

/**
 * The tables of a Markdown text that stand by themselves (not in a list or a quotation), in order. What is a table and what
 * is code or HTML is the Markdown library's to say; where each cell lies is found in the lines that it names.
 */
export function tablesIn(text: string): MarkdownTable[] {
  // What stands in the cells is not looked into: blocks are enough.
  const markdown = new MarkdownIt('commonmark').enable('table');
  markdown.core.ruler.disable('inline');
  const bom = text.startsWith('\ufeff') ? 1 : 0;
  const lines = linesOf(text, bom);
  return rowGroups(markdown.parse(text.slice(bom), {})).flatMap((group) => {
    const [header, ...rows] = group.flatMap(({ line, contents }) => {
      const place = lines[line];
      return place ? [readRow(text, place, line + 1, contents)] : [];
    });
    return header ? [{ header, rows }] : [];
  });
}

/** What Markdown makes of a row: its line, from 0, and what its cells hold. */
interface MarkdownRow {
  readonly line: number;
  readonly contents: string[];
}

function rowGroups(tokens: readonly Token[]): MarkdownRow[][] {
  const tables: MarkdownRow[][] = [];
  let current: MarkdownRow[] | undefined;
  for (const { type, level, map, content } of tokens) {
    if (type === 'table_open' && level === 0) tables.push((current = []));
    else if (type === 'table_close') current = undefined;
    else if (type === 'tr_open' && map) current?.push({ line: map[0], contents: [] });
    else if (type === 'inline') current?.at(-1)?.contents.push(content);
  }
  return tables;
}

function linesOf(text: string, from: number): Line[] {
  const lines: Line[] = [];
  let start = from;
  for (const { 0: ending, index } of text.matchAll(/\r\n?|\n/g)) {
    lines.push({ start, end: index });
    start = index + ending.length;
  }
  lines.push({ start, end: text.length });
  return lines;
}

function readRow(text: string, { start, end }: Line, line: number, contents: readonly string[]): TableRow {
  const cells = cellsOf(text, start, end);
  const isClear = contents.every((content, index) => content === (cells[index]?.text ?? ''));
  return { line, start, end, cells, isClear };
}

/** The parts of a line between bars. A bar behind a backslash is a part of its cell, in code too: so GitHub has it. */
function cellsOf(text: string, lineStart: number, lineEnd: number): TableCell[] {
  const line = text.slice(lineStart, lineEnd);
  const bars = [...line.matchAll(/(?<!\\)\|/g)].map(({ index }) => index);
  const edges = [-1, ...bars, line.length];
  const parts = edges.slice(1).map((end, index) => ({ start: (edges[index] ?? 0) + 1, end }));
  const isBlank = (part: { start: number; end: number } | undefined): boolean =>
    part !== undefined && line.slice(part.start, part.end).trim() === '';
  // What stands before the first bar and behind the last one is no cell when there is nothing.
  if (isBlank(parts[0])) parts.shift();
  if (isBlank(parts.at(-1))) parts.pop();
  return parts.map((part) => ({
    start: lineStart + part.start,
    end: lineStart + part.end,
    text: line.slice(part.start, part.end).trim().replaceAll('\\|', '|'),
  }));
}
