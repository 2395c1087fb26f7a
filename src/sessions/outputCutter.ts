import { PieceBuffer } from './pieceBuffer';

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

/**
 * Keeps at most `maxBytes` of an output of any length: half from its start, half from its end, both streams together. It keeps
 * copies: what is pushed can be overwritten at once.
 */
export class OutputCutter {
  private readonly head: PieceBuffer;
  private readonly tail: PieceBuffer;
  private readonly headBytes: number;
  private droppedBytes = 0;

  constructor(maxBytes: number) {
    this.headBytes = Math.ceil(maxBytes / 2);
    this.head = new PieceBuffer(this.headBytes);
    this.tail = new PieceBuffer(maxBytes - this.headBytes);
  }

  /** How much is kept at the moment. */
  get keptBytes(): number {
    return this.head.length + this.tail.length;
  }

  push(stream: ShownStream, bytes: Buffer): void {
    const room = this.headBytes - this.head.length;
    this.head.push(stream, bytes.subarray(0, room));
    if (bytes.length > room) this.droppedBytes += this.tail.push(stream, bytes.subarray(room));
  }

  /** What was kept so far. The bytes are valid until the next push. */
  cut(): CutOutput {
    return { head: this.head.pieces(), droppedBytes: this.droppedBytes, tail: this.tail.pieces() };
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.head.clear();
    this.tail.clear();
    this.droppedBytes = 0;
  }
}

/** One stream's bytes of `pieces`, joined. */
export function joinStream(pieces: readonly OutputPiece[], stream: ShownStream): Buffer {
  return Buffer.concat(pieces.filter((piece) => piece.stream === stream).map((piece) => piece.bytes));
}
