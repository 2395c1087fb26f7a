import { UserError } from '../../base/errors';

/**
 * The address of a server, as the user gave it: `http:` or `https:`, a path prefix allowed.
 * @throws {UserError} `source-url-invalid`.
 */
export function parseBaseUrl(text: string): URL {
  const url = urlOf(text.trim());
  if (!url) throw invalid('it is not a URL such as http://localhost:3000');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid('it has to begin with http:// or https://');
  if (url.username !== '' || url.password !== '') {
    throw invalid('a password has no place in it; store the token with the command for it instead');
  }
  url.search = '';
  url.hash = '';
  return url;
}

function invalid(why: string): UserError {
  return new UserError('source-url-invalid', `The ZMemory address cannot be used: ${why}.`);
}

/** Joins the prefix of the base and a path of the wire, whatever slashes the user put at the end. */
export function pathUnder(base: URL, path: string): string {
  return base.pathname.replace(/\/+$/, '') + path;
}

/** `undefined` when the text is no URL. */
export function urlOf(text: string, base?: URL): URL | undefined {
  return URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
}
