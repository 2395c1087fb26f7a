import { Redactor, secretPatterns } from './redactor';

/**
 * A whole text without the secrets in it, as a terminal would show it.
 * @param known secrets that the product itself has.
 */
export function redactText(text: string, known: readonly string[]): string {
  const redactor = new Redactor(secretPatterns(known));
  return redactor.redact(text) + redactor.flush();
}
