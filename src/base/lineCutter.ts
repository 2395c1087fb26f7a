const newline = 0x0a;

/**
 * Cuts a stream of bytes into lines, and never holds more than one line of the longest length that is allowed. A longer one is handed
 * on as `undefined`, as soon as it is too long, and the rest of it is not kept.
 */
export class LineCutter {
  private parts: Buffer[] = [];
  private heldBytes = 0;

  constructor(
    private readonly maxLineBytes: number,
    private readonly onLine: (line: string | undefined) => void,
  ) {}

  push(chunk: Buffer): void {
    for (let from = 0; from < chunk.length;) {
      const to = chunk.indexOf(newline, from);
      this.add(chunk.subarray(from, to < 0 ? chunk.length : to));
      if (to < 0) return;
      this.end();
      from = to + 1;
    }
  }

  private get isTooLong(): boolean {
    return this.heldBytes > this.maxLineBytes;
  }

  private add(part: Buffer): void {
    if (this.isTooLong) return;
    this.heldBytes += part.length;
    this.parts.push(part);
    if (!this.isTooLong) return;
    this.parts = [];
    this.onLine(undefined);
  }

  private end(): void {
    const [parts, isWhole] = [this.parts, !this.isTooLong];
    [this.parts, this.heldBytes] = [[], 0];
    if (isWhole) this.onLine(Buffer.concat(parts).toString('utf8'));
  }
}
