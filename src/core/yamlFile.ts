import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import type { Diagnostic } from './diagnostic';

export interface ReadYaml<T> {
  /** `undefined` when something is wrong that it cannot be used with. */
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Where a part of it stands, for what is wrong with it later. */
  readonly place: (keys: readonly PropertyKey[]) => { readonly line: number; readonly column: number };
}

/**
 * Reads YAML that people write. Never throws: what is wrong is said with its line and column, each unknown key at its own.
 * @param file `firstLine`: the line of the file that the text begins at, where it is a part of one; absent: 1.
 */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  file: { readonly path: string; readonly firstLine?: number },
): ReadYaml<T> {
  const { path, firstLine = 1 } = file;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeOf = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line) + firstLine - 1, column: Math.max(1, col) };
  };
  const place = (keys: readonly PropertyKey[]): { line: number; column: number } => placeOf(offsetOf(document, keys));
  const failures = document.errors.map((error): Diagnostic => ({
    path,
    ...placeOf(error.pos[0]),
    severity: 'error',
    message: `It is no YAML: ${error.message}`,
  }));
  if (failures.length > 0) return { value: undefined, diagnostics: failures, place };
  const plain = plainValue(document);
  if (plain instanceof Error) {
    const message = `It cannot be read: ${plain.message}.`;
    const diagnostics = [{ path, line: firstLine, column: 1, severity: 'error' as const, message }];
    return { value: undefined, diagnostics, place };
  }
  const parsed = schema.safeParse(plain);
  if (parsed.success) return { value: parsed.data, diagnostics: [], place };
  const diagnostics = parsed.error.issues.flatMap((issue): Diagnostic[] => {
    // Each unknown key stands at a place of its own.
    const keys = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    return keys.map((each) => {
      const name = each.join('.') || 'The file';
      const words = issue.code === 'unrecognized_keys' ? 'there is no such key' : issue.message;
      return { path, ...place(each), severity: 'error', message: `${name}: ${words}.` };
    });
  });
  return { value: undefined, diagnostics, place };
}

/** Anchors that grow without end are refused by the library. */
function plainValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The place of the innermost part that is there. */
function offsetOf(document: Document, keys: readonly PropertyKey[]): number {
  for (let depth = keys.length; depth > 0; depth -= 1) {
    const node = document.getIn(keys.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
