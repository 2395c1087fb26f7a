import { plainText } from '../base/ansi';
import { CancelledError } from '../base/errors';
import type { ExecResult } from '../core/session';

/**
 * What a command printed, as text for a model: without escape sequences, stderr after stdout, and with a mark where
 * something was left out of the middle.
 * @param maxOutputBytes what the command's output was limited to.
 */
export function outputText({ stdout, stderr, droppedBytes }: ExecResult, maxOutputBytes: number): string {
  const mark =
    droppedBytes === 0
      ? ''
      : `[${droppedBytes} bytes from the middle of the output were left out. To see them, write the output to a file and read parts of it.]`;
  // With one stream alone it is known where the gap is: half is kept from the start.
  if (mark !== '' && stderr.length === 0) {
    const half = Math.floor(maxOutputBytes / 2);
    return joined([plainText(stdout.subarray(0, half)), mark, plainText(stdout.subarray(half))]);
  }
  const out = plainText(stdout);
  const err = plainText(stderr).trimEnd();
  return joined([out, err === '' || out.trim() === '' ? err : `[stderr]\n${err}`, mark]);
}

function joined(parts: readonly string[]): string {
  return parts
    .map((part) => part.trimEnd())
    .filter((part) => part !== '')
    .join('\n');
}

/** @throws {CancelledError} for a command that was ended because the run is. It has no result then. */
export function throwIfCancelled({ kind }: ExecResult): void {
  if (kind === 'cancelled') throw new CancelledError();
}
