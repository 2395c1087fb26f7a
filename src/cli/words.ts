import path from 'node:path';
import { messageOf, UserError } from '../base/errors';
import { makeVisible } from '../base/visible';

/** US dollars for people. An unknown price is said to be unknown, never guessed. */
export function costText(costUsd: number | null): string {
  if (costUsd === null) return 'unknown';
  return costUsd === 0 ? '0 $' : `${costUsd < 0.01 ? costUsd.toFixed(4) : costUsd.toFixed(2)} $`;
}

/** A size for people, in powers of 1,024; `null` is one that is not known. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return 'unknown size';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

export function durationText(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** Text of others on one line of a terminal: no control or invisible characters, and at most `maxLength`. */
export function oneLine(text: string, maxLength = 100): string {
  const line = makeVisible(text.replace(/\s+/g, ' ').trim());
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}

/** What went wrong, for somebody at a terminal. */
export function errorText(error: unknown): string {
  return error instanceof UserError
    ? error.message
    : `Something went wrong that Airlock did not foresee: ${messageOf(error)}`;
}

/** Columns that are as wide as their widest cell, two spaces apart. The last one is not padded. */
export function tableText(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const text = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [text(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(text)].join('\n');
}

/** How this command was called, for words that tell what to type next. */
export function commandName(): string {
  const script = process.argv[1] ?? 'airlock';
  return path.basename(script) === 'airlock' ? 'airlock' : `node ${path.relative(process.cwd(), script)}`;
}
