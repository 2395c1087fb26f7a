import { createReadStream } from 'node:fs';
import { UserError } from '../base/errors';
import { newline } from './journalLine';

/** Thrown inside the store when a segment is not what it must be; `damageError` words it. */
export class JournalDamage extends Error {
  override readonly name = 'JournalDamage';
  constructor(
    readonly file: string,
    /** Bytes from the start of the file to the line that is wrong. */
    readonly offset: number,
    what: string,
    options?: { cause?: unknown },
  ) {
    super(what, options);
  }
}

/** The damage as the user is told of it: which file, which line, what to do. */
export async function damageError(damage: JournalDamage, folder: string): Promise<UserError> {
  const line = (await countLines(damage.file, damage.offset)) + 1;
  return new UserError(
    'journal-corrupt',
    `The journal is damaged: ${damage.file}, line ${line}: ${damage.message}. Nothing was changed and nothing was ` +
      `started. Put ${folder} back from a backup, or move its parent folder away to begin with an empty queue; results ` +
      'that were published are safe as branches of their repositories.',
    { file: damage.file, line, offset: damage.offset },
    { cause: damage },
  );
}

/** Newlines in the first `bytes` of a file; 0 when it is not there. */
async function countLines(file: string, bytes: number): Promise<number> {
  if (bytes === 0) return 0;
  let lines = 0;
  try {
    for await (const chunk of createReadStream(file, { end: bytes - 1 }) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) lines += 1;
    }
  } catch {
    return 0;
  }
  return lines;
}
