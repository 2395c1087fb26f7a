export type OutputStream = 'stdout' | 'stderr';

/** What people see: the agent's streams, and the terminal itself while a user has it. */
export type ShownStream = OutputStream | 'screen';

/** Bytes of one stream, in the order in which they came. */
export interface OutputPiece {
  readonly stream: ShownStream;
  readonly bytes: Buffer;
}

/** What was kept: all of `head`, then `droppedBytes` that are missing, then all of `tail`. */
export interface CutOutput {
  readonly head: readonly OutputPiece[];
  readonly droppedBytes: number;
  readonly tail: readonly OutputPiece[];
}

/** Smaller pieces than this are put together, so that a flood of tiny writes costs no more than its bytes. */
const mergeBelowBytes = 16 * 1024;

/** Bytes of one stream that small ones can be added to, in a buffer that doubles when it is full. */
class GrowingPiece implements OutputPiece {
  private buffer: Buffer;
  private start = 0;
  private end: number;

  constructor(
    readonly stream: ShownStream,
    bytes: Buffer,
  ) {
    this.buffer = bytes;
    this.end = bytes.length;
  }

  get bytes(): Buffer {
    return this.buffer.subarray(this.start, this.end);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The buffer that came first is another's: it is never written to, for it is full. */
  add(bytes: Buffer): void {
    if (this.end + bytes.length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(2 * (this.length + bytes.length));
      this.end = this.buffer.copy(larger, 0, this.start, this.end);
      this.start = 0;
      this.buffer = larger;
    }
    this.end += bytes.copy(this.buffer, this.end);
  }

  dropFirst(count: number): void {
    this.start += count;
  }
}

/** Pieces in a queue that can be shortened from the front. */
class PieceQueue {
  private pieces: GrowingPiece[] = [];
  /** Pieces before this one are gone already; they are swept out from time to time. */
  private first = 0;
  bytes = 0;

  push(stream: ShownStream, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.bytes += bytes.length;
    const last = this.pieces.length > this.first ? this.pieces.at(-1) : undefined;
    if (last?.stream === stream && last.length + bytes.length < mergeBelowBytes) last.add(bytes);
    else this.pieces.push(new GrowingPiece(stream, bytes));
  }

  /** Drops from the front until `maxBytes` are left. @returns how many bytes were dropped. */
  shortenTo(maxBytes: number): number {
    const excess = Math.max(0, this.bytes - maxBytes);
    let left = excess;
    for (let piece = this.pieces[this.first]; left > 0 && piece; piece = this.pieces[this.first]) {
      const taken = Math.min(left, piece.length);
      piece.dropFirst(taken);
      left -= taken;
      if (piece.length === 0) this.first += 1;
    }
    this.bytes -= excess;
    if (this.first > 256) {
      this.pieces = this.pieces.slice(this.first);
      this.first = 0;
    }
    return excess;
  }

  list(): OutputPiece[] {
    return this.pieces.slice(this.first);
  }
}

/**
 * Keeps at most `maxBytes` of an output of any length: half from its start, half from its end, both streams together.
 * Memory is bounded by about twice that.
 */
export class OutputCutter {
  private readonly head = new PieceQueue();
  private readonly tail = new PieceQueue();
  private droppedBytes = 0;
  private readonly headBytes: number;

  constructor(private readonly maxBytes: number) {
    this.headBytes = Math.ceil(maxBytes / 2);
  }

  /** How much is kept at the moment. */
  get keptBytes(): number {
    return this.head.bytes + this.tail.bytes;
  }

  push(stream: ShownStream, bytes: Buffer): void {
    const room = this.headBytes - this.head.bytes;
    this.head.push(stream, bytes.subarray(0, room));
    if (bytes.length <= room) return;
    const rest = bytes.subarray(Math.max(0, room));
    this.tail.push(stream, rest);
    this.droppedBytes += this.tail.shortenTo(this.maxBytes - this.headBytes);
  }

  cut(): CutOutput {
    return { head: this.head.list(), droppedBytes: this.droppedBytes, tail: this.tail.list() };
  }
}

/** One stream's bytes of `pieces`, joined. */
export function joinStream(pieces: readonly OutputPiece[], stream: ShownStream): Buffer {
  return Buffer.concat(pieces.filter((piece) => piece.stream === stream).map((piece) => piece.bytes));
}
