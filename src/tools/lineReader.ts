import type { SessionFiles } from '../core/session';

export interface LineLimits {
  readonly maxLines: number;
  /** Bytes of the lines together. */
  readonly maxBytes: number;
  /** Characters of one line that are shown. */
  readonly maxLineLength: number;
}

export interface LinePage {
  readonly lines: readonly string[];
  /** The number of the line after the last one here; `null` at the end of the file. */
  readonly nextLine: number | null;
  readonly size: number;
  /** Lines end with `\r\n`. */
  readonly crlf: boolean;
}

const chunkBytes = 256 * 1024;

/** A file is looked through for a line up to here; past it, other tools serve better. */
export const maxScannedBytes = 64 * 1024 ** 2;

/**
 * Reads a page of lines, from line `firstLine` (1 is the first), in pieces: a file of any size takes little memory.
 * @throws {UserError} of `SessionFiles.read`.
 */
export async function readLines(
  files: SessionFiles,
  path: string,
  firstLine: number,
  limits: LineLimits,
): Promise<LinePage> {
  const page = new PageBuilder(firstLine, limits);
  let offset = 0;
  for (;;) {
    const { bytes, size } = await files.read(path, { offset, maxBytes: chunkBytes });
    offset += bytes.length;
    const atEnd = bytes.length === 0 || offset >= size;
    page.push(bytes, atEnd);
    if (page.isFull || atEnd || offset >= maxScannedBytes) return page.finish(size, atEnd);
  }
}

class PageBuilder {
  private readonly lines: string[] = [];
  private readonly decoder = new TextDecoder('utf-8');
  private lineNumber = 1;
  private bytes = 0;
  private crlf = false;
  /** The beginning of a line that goes on in the next piece, up to what is shown of it. */
  private rest = '';
  private restLength = 0;
  private endsWithReturn = false;
  isFull = false;

  constructor(
    private readonly firstLine: number,
    private readonly limits: LineLimits,
  ) {}

  push(bytes: Uint8Array, atEnd: boolean): void {
    const text = this.decoder.decode(bytes, { stream: !atEnd });
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0 && !this.isFull; end = text.indexOf('\n', start)) {
      this.extend(text.slice(start, end));
      this.endLine();
      start = end + 1;
    }
    if (this.isFull) return;
    this.extend(text.slice(start));
    if (atEnd && this.restLength > 0) this.endLine();
  }

  finish(size: number, atEnd: boolean): LinePage {
    const nextLine = this.isFull || !atEnd ? this.lineNumber : null;
    return { lines: this.lines, nextLine, size, crlf: this.crlf };
  }

  private extend(piece: string): void {
    this.restLength += piece.length;
    // One more than is shown, for a carriage return at the end.
    if (this.rest.length <= this.limits.maxLineLength) {
      this.rest += piece.slice(0, this.limits.maxLineLength + 1 - this.rest.length);
    }
    if (piece.endsWith('\r')) this.endsWithReturn = true;
    else if (piece !== '') this.endsWithReturn = false;
  }

  private endLine(): void {
    const length = this.restLength - (this.endsWithReturn ? 1 : 0);
    if (this.endsWithReturn) this.crlf = true;
    if (this.lineNumber >= this.firstLine) this.take(this.rest.slice(0, length), length);
    if (!this.isFull) this.lineNumber += 1;
    this.rest = '';
    this.restLength = 0;
    this.endsWithReturn = false;
  }

  private take(shown: string, length: number): void {
    const { maxLineLength, maxLines, maxBytes } = this.limits;
    const cut = length - maxLineLength;
    const line = cut > 0 ? `${shown.slice(0, maxLineLength)} […${cut} more characters]` : shown;
    this.bytes += Buffer.byteLength(line) + 1;
    // The first line is given whatever its size, so that every page leads on.
    this.isFull = this.lines.length >= maxLines || (this.bytes > maxBytes && this.lines.length > 0);
    if (!this.isFull) this.lines.push(line);
  }
}
