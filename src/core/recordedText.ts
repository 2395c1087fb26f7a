import { z } from 'zod';

/** A piece of output in an asciicast. */
const outputSchema = z.tuple([z.number(), z.literal('o'), z.string()]);

/**
 * What a recording shows (asciicast v2), or a part of it. It was made safe to show before it was written. Lines that are cut,
 * torn or about something else show nothing.
 */
export function recordedText(asciicast: string): string {
  return asciicast
    .split('\n')
    .map((line) => outputOf(line))
    .join('');
}

function outputOf(line: string): string {
  try {
    const entry = outputSchema.safeParse(JSON.parse(line));
    return entry.success ? entry.data[2] : '';
  } catch {
    return '';
  }
}
