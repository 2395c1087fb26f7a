/** Record separator: it stands at both ends of a marker. */
export const markerByte = '\u001e';

/** What is found in a stream: its bytes, and the markers between them. */
export type SplitPart =
  { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'marker'; readonly name: string };

/**
 * Finds the markers `RS name RS` of the names that are being waited for, wherever the pieces of the stream end. Only what
 * may be the beginning of a marker is held back; everything else is handed on at once, as a part of the piece.
 */
export class MarkerSplitter {
  private held: Buffer = Buffer.alloc(0);
  private markers: { readonly name: string; readonly bytes: Buffer }[] = [];

  /** From now on these names are looked for, and no others. They are all equally long. */
  expect(names: readonly string[]): void {
    this.markers = names.map((name) => ({ name, bytes: Buffer.from(markerByte + name + markerByte) }));
  }

  push(piece: Buffer): SplitPart[] {
    const parts: SplitPart[] = [];
    let rest = this.held.length > 0 ? Buffer.concat([this.held, piece]) : piece;
    for (let found = this.find(rest); found; found = this.find(rest)) {
      if (found.at > 0) parts.push({ kind: 'bytes', bytes: rest.subarray(0, found.at) });
      parts.push({ kind: 'marker', name: found.name });
      rest = rest.subarray(found.at + found.length);
    }
    const holdFrom = this.possibleStart(rest);
    if (holdFrom > 0) parts.push({ kind: 'bytes', bytes: rest.subarray(0, holdFrom) });
    this.held = Buffer.from(rest.subarray(holdFrom));
    return parts;
  }

  private find(bytes: Buffer): { at: number; length: number; name: string } | undefined {
    const found = this.markers
      .map((marker) => ({ at: bytes.indexOf(marker.bytes), length: marker.bytes.length, name: marker.name }))
      .filter((match) => match.at >= 0);
    return found.sort((a, b) => a.at - b.at)[0];
  }

  /** Where the last bytes begin that are the start of a marker. */
  private possibleStart(bytes: Buffer): number {
    const longest = Math.max(0, ...this.markers.map((marker) => marker.bytes.length - 1));
    let at = bytes.indexOf(markerByte, Math.max(0, bytes.length - longest));
    while (at >= 0) {
      const end = bytes.subarray(at);
      if (this.markers.some((marker) => marker.bytes.subarray(0, end.length).equals(end))) return at;
      at = bytes.indexOf(markerByte, at + 1);
    }
    return bytes.length;
  }
}
