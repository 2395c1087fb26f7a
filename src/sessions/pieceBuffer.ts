import type { OutputPiece, ShownStream } from './outputCutter';

/** It begins with this and doubles, up to its capacity. */
const firstBytes = 4 * 1024;

/**
 * The last bytes that were pushed, up to a capacity, with the stream of each: a ring of its own memory, so that what is
 * pushed can be overwritten at once.
 */
export class PieceBuffer {
  private ring: Buffer = Buffer.alloc(0);
  private start = 0;
  private segments: { readonly stream: ShownStream; length: number }[] = [];
  /** Segments before this one are gone already; they are swept out from time to time. */
  private first = 0;
  length = 0;

  constructor(private readonly capacity: number) {}

  /** @returns how many of the oldest bytes are gone for it. */
  push(stream: ShownStream, bytes: Buffer): number {
    if (bytes.length === 0) return 0;
    const excess = Math.max(0, this.length + bytes.length - this.capacity);
    const kept = bytes.length > this.capacity ? bytes.subarray(bytes.length - this.capacity) : bytes;
    this.dropFirst(Math.min(excess, this.length));
    if (kept.length === 0) return excess;
    this.makeRoom(this.length + kept.length);
    this.write(kept);
    const last = this.segments.length > this.first ? this.segments.at(-1) : undefined;
    if (last?.stream === stream) last.length += kept.length;
    else this.segments.push({ stream, length: kept.length });
    return excess;
  }

  /** What is kept, in order. The bytes are valid until the next push. */
  pieces(): OutputPiece[] {
    const pieces: OutputPiece[] = [];
    let at = this.start;
    for (const { stream, length } of this.segments.slice(this.first)) {
      const untilEnd = Math.min(length, this.ring.length - at);
      pieces.push({ stream, bytes: this.ring.subarray(at, at + untilEnd) });
      if (untilEnd < length) pieces.push({ stream, bytes: this.ring.subarray(0, length - untilEnd) });
      at = (at + length) % this.ring.length;
    }
    return pieces;
  }

  /** Forgets what it has, and keeps its memory. */
  clear(): void {
    this.segments = [];
    this.first = 0;
    this.start = 0;
    this.length = 0;
  }

  private dropFirst(count: number): void {
    let left = count;
    for (let segment = this.segments[this.first]; left > 0 && segment; segment = this.segments[this.first]) {
      const taken = Math.min(left, segment.length);
      segment.length -= taken;
      left -= taken;
      if (segment.length === 0) this.first += 1;
    }
    if (this.first > 256) {
      this.segments = this.segments.slice(this.first);
      this.first = 0;
    }
    this.length -= count;
    this.start = this.length === 0 ? 0 : (this.start + count) % this.ring.length;
  }

  private makeRoom(bytes: number): void {
    if (bytes <= this.ring.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.capacity, Math.max(firstBytes, 2 * this.ring.length, bytes)));
    let end = 0;
    for (const piece of this.pieces()) end += piece.bytes.copy(larger, end);
    this.ring = larger;
    this.start = 0;
  }

  private write(bytes: Buffer): void {
    const at = (this.start + this.length) % this.ring.length;
    const written = bytes.copy(this.ring, at);
    bytes.copy(this.ring, 0, written);
    this.length += bytes.length;
  }
}
