/**
 * One word of a shell, whatever is in `text`. A shell cannot hold NUL: it is left out, as bash itself would do.
 */
export function shellQuote(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", `'\\''`)}'`;
}
