import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { messageOf } from '../base/errors';
import type { Diagnostic } from './diagnostic';
import { meantIssues } from './meantIssues';

export interface ReadYaml<T> {
  /** `undefined` when something is wrong that it cannot be used with. */
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Where a part of it stands, for what is wrong with it later. */
  readonly place: (keys: readonly PropertyKey[]) => { readonly line: number; readonly column: number };
}

/**
 * Reads YAML that people write. Never throws: what is wrong is said with its line and column, each unknown key at its own.
 * @param file `firstLine`: the line of the file that the text begins at, where it is a part of one; absent: 1. `isJson`: people
 * know it as JSON, which is YAML too.
 */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  file: { readonly path: string; readonly firstLine?: number; readonly isJson?: boolean },
): ReadYaml<T> {
  const { path, firstLine = 1, isJson = false } = file;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeOf = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line) + firstLine - 1, column: Math.max(1, col) };
  };
  const place = (keys: readonly PropertyKey[]): { line: number; column: number } => placeOf(offsetOf(document, keys));
  const faults = document.errors.map(({ pos: [at], message }) => ({ at, message: `It is no YAML: ${message}` }));
  const told = isJson ? jsonFaults(text, document) : faults;
  const failures = told.map(({ at, message }): Diagnostic => ({ path, ...placeOf(at), severity: 'error', message }));
  if (failures.length > 0) return { value: undefined, diagnostics: failures, place };
  const plain = plainValue(document);
  if (plain instanceof Error) {
    const message = `It cannot be read: ${plain.message}.`;
    const diagnostics = [{ path, line: firstLine, column: 1, severity: 'error' as const, message }];
    return { value: undefined, diagnostics, place };
  }
  const parsed = schema.safeParse(plain, { reportInput: true });
  if (parsed.success) return { value: parsed.data, diagnostics: [], place };
  const diagnostics = meantIssues(parsed.error.issues).map(({ path: keys, message }): Diagnostic => {
    const name = keys.join('.') || 'The file';
    return { path, ...place(keys), severity: 'error', message: `${name}: ${message}.` };
  });
  return { value: undefined, diagnostics, place };
}

interface Fault {
  /** An offset in the text. */
  readonly at: number;
  readonly message: string;
}

/** The first thing by which it is neither JSON nor YAML; a JSON that YAML cannot read, as by two keys of one name, in YAML's words. */
function jsonFaults(text: string, { errors: [error] }: Document): Fault[] {
  if (!error) return [];
  try {
    JSON.parse(text);
    return [{ at: error.pos[0], message: `It cannot be read: ${error.message}.` }];
  } catch (thrown) {
    const said = messageOf(thrown);
    const at = Number(/ at position (\d+)/.exec(said)?.[1] ?? error.pos[0]);
    // Without a part of the text, which may be longer than a line.
    const words = said.replace(/( in JSON)? at position \d+[^]*$|, (\.{3})?"[^]*$/, '');
    return [{ at, message: `It is no JSON: ${words}.` }];
  }
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
