import { randomBytes } from 'node:crypto';

/** No vowels, so that no id spells a word; lower case, so that it is safe in a git ref and in any file system. */
const alphabet = '0123456789bcdfghjkmnpqrstvwxyz';

/** A new id such as `run-k3x9…`: the prefix and 12 random characters (about 59 bits). */
export function newId(prefix: string): string {
  let id = '';
  while (id.length < 12) {
    for (const byte of randomBytes(16)) {
      // 240 is the largest multiple of 30 below 256: above it the choice would not be even.
      if (byte < 240 && id.length < 12) id += alphabet[byte % 30];
    }
  }
  return `${prefix}-${id}`;
}
