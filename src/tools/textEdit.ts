export interface TextEdit {
  readonly oldText: string;
  readonly newText: string;
  readonly replaceAll: boolean;
}

export type EditOutcome =
  | {
      readonly kind: 'edited';
      readonly text: string;
      readonly replacements: number;
      /** Where the first replacement begins, in the new text. */
      readonly at: number;
      /** How long each replacement is. */
      readonly length: number;
    }
  | { readonly kind: 'notFound'; readonly hint: string }
  /** Found more than once, and only one was meant. */
  | { readonly kind: 'ambiguous'; readonly lines: readonly number[] };

/**
 * Replaces a piece of a text that must be there exactly, and once unless all are meant. In a text whose lines all end with
 * CRLF the line ends of the edit do not matter: they become CRLF.
 */
export function applyEdit(text: string, edit: TextEdit): EditOutcome {
  const isCrlf = text.includes('\r\n') && !/(^|[^\r])\n/.test(text);
  const oldText = isCrlf ? withCrlf(edit.oldText) : edit.oldText;
  const newText = isCrlf ? withCrlf(edit.newText) : edit.newText;
  const parts = text.split(oldText);
  const replacements = parts.length - 1;
  if (replacements === 0) return { kind: 'notFound', hint: hintFor(text, edit.oldText) };
  if (replacements > 1 && !edit.replaceAll) return { kind: 'ambiguous', lines: linesOf(parts, oldText) };
  const at = parts[0]?.length ?? 0;
  return { kind: 'edited', text: parts.join(newText), replacements, at, length: newText.length };
}

function withCrlf(text: string): string {
  return text.replace(/\r?\n/g, '\r\n');
}

/** The line on which each match begins. */
function linesOf(parts: readonly string[], oldText: string): number[] {
  const lines: number[] = [];
  let line = 1;
  for (const part of parts.slice(0, -1)) {
    line += lineEnds(part);
    lines.push(line);
    line += lineEnds(oldText);
  }
  return lines;
}

function lineEnds(text: string): number {
  return text.split('\n').length - 1;
}

/** Why a text that somebody believed to be there is not, where that can be told. */
function hintFor(text: string, oldText: string): string {
  if (/^ *\d+\t/.test(oldText)) return 'Leave out the line numbers and the tab after them: they are not in the file.';
  const wanted = oldText.split('\n').map((line) => line.trim());
  const first = wanted.find((line) => line !== '');
  if (first === undefined) return '';
  const lines = text.split('\n');
  const skipped = wanted.indexOf(first);
  const found = lines.findIndex((line, at) => {
    return line.trim() === first && wanted.every((other, by) => lines[at - skipped + by]?.trim() === other);
  });
  if (found >= 0) return `Line ${found + 1} is the same but for spaces and tabs: copy them exactly as they are.`;
  const firstOnly = lines.findIndex((line) => line.trim() === first);
  if (firstOnly >= 0) return `Its first line is on line ${firstOnly + 1}, but what follows there is different.`;
  return '';
}
