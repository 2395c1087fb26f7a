import { redacted, secretPatterns } from './redactor';

/**
 * A whole text without the secrets in it, as a terminal would show it.
 * @param known secrets that the product itself has.
 */
export function redactText(text: string, known: readonly string[]): string {
  return redactorOf(known)(text);
}

/** The same for many texts. */
export function redactorOf(known: readonly string[]): (text: string) => string {
  const patterns = secretPatterns(known);
  return (text) => redacted(text, patterns);
}
