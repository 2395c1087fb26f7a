/**
 * What a terminal would make of a stream of characters. `text` holds no control character at all, C1 included, so that it
 * is safe wherever it is shown.
 */
export type AnsiToken =
  | { readonly kind: 'text'; readonly text: string }
  /** A control character that stands alone: `\n`, `\r`, `\t`, `\b`; of others (BEL, NUL, …) a whole run is one. */
  | { readonly kind: 'control'; readonly char: string }
  /** `ESC [` … : parameters with a private prefix (`?25`), intermediates, and the final byte. */
  | { readonly kind: 'csi'; readonly params: string; readonly intermediates: string; readonly final: string }
  /** Another escape sequence of two or more characters, such as `ESC c` or `ESC ( 0`. */
  | { readonly kind: 'escape'; readonly intermediates: string; readonly final: string }
  /** OSC, DCS, APC, PM or SOS. What stood in it is not kept. */
  | { readonly kind: 'string' };

type State = 'ground' | 'escape' | 'csi' | 'string' | 'stringEscape';

/** Longer parameters than this belong to no sequence that anybody means; the rest of them is not kept. */
const maxParameterChars = 64;

const controlCharacter = /\p{Cc}/gu;

/** Strings are introduced by `ESC X` or by one C1 character. */
const stringIntroducers = new Set(['P', 'X', ']', '^', '_']);

function c1AsEscape(char: string): string {
  return String.fromCharCode(char.charCodeAt(0) - 0x40);
}

function isC1(char: string): boolean {
  return char >= '\u0080' && char <= '\u009f';
}

function isShown(char: string): boolean {
  return char === '\n' || char === '\r' || char === '\t' || char === '\b';
}

/** Where the run of one and the same character ends that begins at `from`: a flood of NULs is one token. */
function endOfRun(piece: string, from: number): number {
  const code = piece.charCodeAt(from);
  let end = from + 1;
  while (piece.charCodeAt(end) === code) end += 1;
  return end;
}

/**
 * Splits a stream into tokens. A sequence may be split over any number of pieces; memory stays bounded whatever comes.
 */
export class AnsiScanner {
  private state: State = 'ground';
  private params = '';
  private intermediates = '';

  /** The tokens that `piece` completes, in order. */
  push(piece: string): AnsiToken[] {
    const tokens: AnsiToken[] = [];
    let at = 0;
    while (at < piece.length) {
      if (this.state === 'ground') at = this.scanText(piece, at, tokens);
      else if (this.state === 'string') at = this.skipString(piece, at);
      else this.step(piece.charAt(at++), tokens);
    }
    return tokens;
  }

  /** No sequence is open: what comes next is text or begins one. */
  get isAtRest(): boolean {
    return this.state === 'ground';
  }

  /** Forgets a sequence that is not complete. */
  reset(): void {
    this.state = 'ground';
  }

  private scanText(piece: string, from: number, tokens: AnsiToken[]): number {
    controlCharacter.lastIndex = from;
    const found = controlCharacter.exec(piece)?.index ?? piece.length;
    if (found > from) tokens.push({ kind: 'text', text: piece.slice(from, found) });
    if (found === piece.length) return found;
    const char = piece.charAt(found);
    this.control(char, tokens);
    return isShown(char) ? found + 1 : endOfRun(piece, found);
  }

  /** A string ends with ST, BEL, or by being aborted; a line feed stands in none that is meant, so it ends it too. */
  private skipString(piece: string, from: number): number {
    controlCharacter.lastIndex = from;
    const found = controlCharacter.exec(piece)?.index;
    if (found === undefined) return piece.length;
    const char = piece.charAt(found);
    if (char === '\u001b') this.state = 'stringEscape';
    else if (char === '\u0007' || char === '\u009c' || char === '\u0018' || char === '\u001a') this.state = 'ground';
    else if (char === '\n') {
      this.state = 'ground';
      return found;
    }
    return found + 1;
  }

  private control(char: string, tokens: AnsiToken[]): void {
    if (char === '\u001b') this.begin('escape');
    else if (char === '\u0018' || char === '\u001a') this.state = 'ground';
    else if (isC1(char)) {
      this.begin('escape');
      this.step(c1AsEscape(char), tokens);
    } else tokens.push({ kind: 'control', char });
  }

  private begin(state: 'escape' | 'csi'): void {
    this.state = state;
    this.params = '';
    this.intermediates = '';
  }

  private step(char: string, tokens: AnsiToken[]): void {
    if (this.state === 'stringEscape') {
      // ESC ends a string; with a backslash it is its terminator, otherwise it begins another sequence.
      this.state = 'ground';
      if (char === '\\') return;
      this.begin('escape');
    }
    if (char < ' ' || (char >= '\u007f' && char <= '\u009f')) this.control(char, tokens);
    else if (this.state === 'csi') this.stepCsi(char, tokens);
    else this.stepEscape(char, tokens);
  }

  private stepEscape(char: string, tokens: AnsiToken[]): void {
    if (char >= ' ' && char <= '/') this.intermediates = (this.intermediates + char).slice(0, maxParameterChars);
    else if (char === '[' && this.intermediates === '') this.begin('csi');
    else if (stringIntroducers.has(char) && this.intermediates === '') {
      this.state = 'string';
      tokens.push({ kind: 'string' });
    } else {
      this.state = 'ground';
      tokens.push({ kind: 'escape', intermediates: this.intermediates, final: char });
    }
  }

  private stepCsi(char: string, tokens: AnsiToken[]): void {
    if (char >= '0' && char <= '?') {
      if (this.params.length < maxParameterChars) this.params += char;
    } else if (char >= ' ' && char <= '/') {
      if (this.intermediates.length < maxParameterChars) this.intermediates += char;
    } else {
      this.state = 'ground';
      const { params, intermediates } = this;
      if (char >= '@' && char <= '~') tokens.push({ kind: 'csi', params, intermediates, final: char });
      else tokens.push({ kind: 'text', text: char });
    }
  }
}

/** One line as it stands after everything that moved or erased within it. */
class Line {
  private text = '';
  /** Set once something moved within the line: from then on it is kept cell by cell. */
  private cells: string[] | undefined;
  private column = 0;

  write(text: string): void {
    if (!this.cells) this.text += text;
    else for (const char of text) this.cells[this.column++] = char;
  }

  toStart(): void {
    this.split();
    this.column = 0;
  }

  back(): void {
    this.split();
    this.column = Math.max(0, this.column - 1);
  }

  /** `CSI n K`: 0 erases to the end, 1 to the start, 2 the whole line. */
  erase(params: string): void {
    const cells = this.split();
    if (params === '' || params === '0') cells.length = Math.min(cells.length, this.column);
    else if (params === '1') cells.fill(' ', 0, this.column);
    else if (params === '2') cells.fill(' ');
  }

  take(): string {
    const line = this.cells
      ? Array.from(this.cells, (cell) => cell ?? ' ')
          .join('')
          .trimEnd()
      : this.text;
    this.text = '';
    this.cells = undefined;
    this.column = 0;
    return line;
  }

  private split(): string[] {
    if (!this.cells) {
      this.cells = [...this.text];
      this.column = this.cells.length;
    }
    return this.cells;
  }
}

/**
 * What a person would have read, for a model or a log: escape sequences and control characters are gone but for `\n` and
 * `\t`, `\r\n` is `\n`, and a line that was written over (a progress bar) is what it was in the end. Bytes that are no
 * UTF-8 become U+FFFD.
 */
export function plainText(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replaceAll('\r\n', '\n');
  const lines: string[] = [];
  const line = new Line();
  for (const token of new AnsiScanner().push(text)) {
    if (token.kind === 'text') line.write(token.text);
    else if (token.kind === 'csi' && token.final === 'K') line.erase(token.params);
    else if (token.kind === 'control') {
      if (token.char === '\n') lines.push(line.take());
      else if (token.char === '\t') line.write('\t');
      else if (token.char === '\r') line.toStart();
      else if (token.char === '\b') line.back();
    }
  }
  lines.push(line.take());
  return lines.join('\n');
}
