/** Where the cursor is in a YAML file, told by indentation alone, so that it is known while the file is no YAML yet. */
export type YamlPlace =
  /** A key is written, below the keys of `path`. `siblings`: keys that stand there already. */
  | { readonly kind: 'key'; readonly path: readonly string[]; readonly siblings: readonly string[] }
  /** The value of the last key of `path` is written. */
  | { readonly kind: 'value'; readonly path: readonly string[] };

interface KeyLine {
  /** Where the key begins; behind the dash of a list's item. */
  readonly column: number;
  readonly key: string;
  readonly isItem: boolean;
  /** Text goes on below it: what follows further in is no YAML. */
  readonly isBlock: boolean;
}

const keyPattern = /^(\s*)((?:-\s+)*)([\w-]+)\s*:(?:\s+(.*))?$/;

/** @param column of the cursor, from 0. `undefined` in a comment or in a text. */
export function yamlPlaceAt(lines: readonly string[], line: number, column: number): YamlPlace | undefined {
  const before = (lines[line] ?? '').slice(0, column);
  if (/(^|\s)#/.test(before)) return undefined;
  const value = /^(\s*(?:-\s+)*)([\w-]+)\s*:\s+[\w.-]*$/.exec(before);
  if (value) {
    const [, indent = '', key = ''] = value;
    const parents = parentsOf(lines, line, indent.length);
    return parents && { kind: 'value', path: [...parents, key] };
  }
  const item = /^(\s*)-\s+[\w.-]*$/.exec(before);
  const key = /^(\s*(?:-\s+)*)[\w-]*$/.exec(before);
  if (!key) return undefined;
  const indent = (key[1] ?? '').length;
  const path = parentsOf(lines, line, indent);
  if (!path) return undefined;
  return { kind: 'key', path, siblings: item ? [] : siblingsOf(lines, line, indent) };
}

/** The path of the key that stands at the cursor; `undefined` when none does. */
export function yamlKeyAt(lines: readonly string[], line: number, column: number): readonly string[] | undefined {
  const found = keyLine(lines[line] ?? '');
  if (!found || column < found.column || column > found.column + found.key.length) return undefined;
  const parents = parentsOf(lines, line, found.column);
  return parents && [...parents, found.key];
}

/** The keys round a line that begins at `column`; `undefined` within a text. */
function parentsOf(lines: readonly string[], line: number, column: number): string[] | undefined {
  const path: string[] = [];
  let limit = column;
  for (let at = line - 1; at >= 0 && limit > 0; at -= 1) {
    const found = keyLine(lines[at] ?? '');
    if (!found) continue;
    // A list may stand as far out as its key.
    const isList = /^\s*-/.test(lines[line] ?? '') && path.length === 0 && found.column === indentOf(lines[line] ?? '');
    if (found.column >= limit && !isList) continue;
    if (found.isBlock) return undefined;
    path.unshift(found.key);
    limit = found.isItem ? indentOf(lines[at] ?? '') : found.column;
  }
  return path;
}

function siblingsOf(lines: readonly string[], line: number, column: number): string[] {
  const keys: string[] = [];
  for (const step of [-1, 1]) {
    for (let at = line + step; at >= 0 && at < lines.length; at += step) {
      const text = lines[at] ?? '';
      const found = keyLine(text);
      if (found && found.column === column) {
        keys.push(found.key);
        if (found.isItem) break;
      } else if (text.trim() !== '' && indentOf(text) < column) break;
    }
  }
  return keys;
}

function keyLine(text: string): KeyLine | undefined {
  const match = keyPattern.exec(text);
  if (!match) return undefined;
  const [, space = '', dashes = '', key = '', rest = ''] = match;
  return { column: space.length + dashes.length, key, isItem: dashes !== '', isBlock: /^[|>]/.test(rest) };
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}
