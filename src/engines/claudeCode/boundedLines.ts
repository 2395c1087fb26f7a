import type { Readable } from 'node:stream';

/**
 * Cuts a stream into lines. One that is longer than `maxBytes` is not kept; it is handed on as `undefined`.
 */
export function readLines(stream: Readable, maxBytes: number, onLine: (line: string | undefined) => void): void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  const add = (piece: Buffer): void => {
    bytes += piece.length;
    if (bytes <= maxBytes) pieces.push(piece);
    else pieces = [];
  };
  stream.on('data', (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      add(rest.subarray(0, end));
      const line = bytes > maxBytes ? undefined : Buffer.concat(pieces).toString('utf8');
      [pieces, bytes] = [[], 0];
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    add(rest);
  });
}
