/** Thrown when a git command ends with anything but success. `stderr` is git's own words, shortened. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure';

  constructor(
    readonly command: string,
    /** `null` when it was ended by a signal. */
    readonly exitCode: number | null,
    readonly stderr: string,
  ) {
    super(`${command} ended with ${exitCode ?? 'a signal'}: ${stderr}`);
  }
}

const maxWords = 2000;

/** What a command said on stderr, safe for a message: valid text, no control characters, at most 2,000 characters. */
export function wordsOf(stderr: Uint8Array): string {
  const text = Buffer.from(stderr.subarray(0, 4 * maxWords)).toString('utf8');
  return text
    .replace(/(?!\n)\p{Cc}/gu, ' ')
    .trim()
    .slice(0, maxWords);
}
