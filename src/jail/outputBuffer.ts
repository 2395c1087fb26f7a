import type { JailResult } from '../core/jail';

type Piece = { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer };

/** Keeps the first `maxBytes` of two streams in the order in which they came, and counts the rest. */
export class OutputBuffer {
  private readonly pieces: Piece[] = [];
  private keptBytes = 0;
  private dropped = 0;

  constructor(private readonly maxBytes: number) {}

  add(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    const kept = bytes.subarray(0, this.maxBytes - this.keptBytes);
    this.dropped += bytes.length - kept.length;
    if (kept.length === 0) return;
    this.keptBytes += kept.length;
    this.pieces.push({ stream, bytes: kept });
  }

  result(): Pick<JailResult, 'stdout' | 'stderr' | 'output' | 'droppedBytes'> {
    const of = (stream?: Piece['stream']): Buffer =>
      Buffer.concat(
        this.pieces.filter((piece) => stream === undefined || piece.stream === stream).map(({ bytes }) => bytes),
      );
    return { stdout: of('stdout'), stderr: of('stderr'), output: of(), droppedBytes: this.dropped };
  }
}
