import { z } from 'zod';

/** So many addresses of one task's pull requests are remembered, the newest. */
export const maxPullRequests = 5;
const maxChars = 500;

/**
 * The page of a pull request on `https:`, without credentials, and of no other characters than such pages have: it stays one
 * whole address in a line, in Markdown and in a table's cell. Whoever opened the pull request says it; nothing is known of its host.
 */
export const pullRequestUrlSchema = z
  .string()
  .max(maxChars)
  .refine(isPlainAddress, 'It is no address of a pull request');

function isPlainAddress(text: string): boolean {
  return /^https:\/\/[\w.~:/?#&=%+-]+$/.test(text) && URL.canParse(text) && new URL(text).hostname !== '';
}
