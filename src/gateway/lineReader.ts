const newline = 0x0a;

/** Cuts a stream of bytes into lines, and never holds more than one line of the longest length that is allowed. */
export class LineReader {
  private parts: Buffer[] = [];
  private heldBytes = 0;

  constructor(
    private readonly maxLineBytes: number,
    private readonly onLine: (line: string) => void,
  ) {}

  /** @returns false when a line is too long: then nothing more is to be read from there. */
  push(chunk: Buffer): boolean {
    for (let from = 0; from < chunk.length;) {
      const to = chunk.indexOf(newline, from);
      const part = chunk.subarray(from, to < 0 ? chunk.length : to);
      this.heldBytes += part.length;
      if (this.heldBytes > this.maxLineBytes) return false;
      this.parts.push(part);
      if (to < 0) return true;
      this.onLine(this.take());
      from = to + 1;
    }
    return true;
  }

  private take(): string {
    const [only] = this.parts;
    const line = this.parts.length === 1 && only ? only : Buffer.concat(this.parts);
    this.parts = [];
    this.heldBytes = 0;
    return line.toString('utf8');
  }
}
