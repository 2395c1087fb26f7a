import { sha256 } from '../../base/digest';
import { UserError } from '../../base/errors';
import type { ModelCredential } from './engineOptions';

/** A server that speaks the Messages API. */
export interface Endpoint {
  /** Without `/v1` and without a slash at its end: the SDK adds `/v1/messages`. */
  readonly baseUrl: string;
  /** It is Anthropic's own server, which knows the newest version of the API. */
  readonly isAnthropic: boolean;
}

const anthropicUrl = 'https://api.anthropic.com';

/** @throws {UserError} `model-url-invalid`. */
export function parseEndpoint(baseUrl: string | undefined): Endpoint {
  const given = baseUrl?.trim() || anthropicUrl;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !isWeb || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new UserError(
      'model-url-invalid',
      'The address of the model server is no plain http or https URL. Set one such as http://localhost:11434, without user name, password or query.',
    );
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v1(\/messages)?$/, '');
  return { baseUrl: url.origin + path, isAnthropic: url.origin === anthropicUrl };
}

/** The credential as it is sent. `none` is for servers that ask for none. */
export type Authorization =
  { readonly kind: ModelCredential['kind']; readonly secret: string } | { readonly kind: 'none' };

/**
 * Reads the credential.
 * @throws {UserError} `model-key-missing` when Anthropic's own server would be asked without one; `model-key-malformed`
 * when it cannot be sent. The key never stands in the message.
 */
export async function readAuthorization(credential: ModelCredential, endpoint: Endpoint): Promise<Authorization> {
  const secret = (await credential.read())?.trim();
  if (!secret) {
    if (!endpoint.isAnthropic) return { kind: 'none' };
    throw new UserError(
      'model-key-missing',
      'There is no API key for Claude. Set one (command “Airlock: Set API Key”, or ANTHROPIC_API_KEY), or name a local model server.',
      { retryable: false },
    );
  }
  // A header takes nothing else, and what the platform says about one that fails would show the key.
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw new UserError(
      'model-key-malformed',
      'The API key has characters that no key has, such as a space or a line break. Set it again.',
      { retryable: false },
    );
  }
  return { kind: credential.kind, secret };
}

/** Takes the key out of what a server said. */
export function withoutKey(text: string, authorization: Authorization): string {
  return authorization.kind === 'none' ? text : text.replaceAll(authorization.secret, '(the key)');
}

/**
 * Headers beside what the SDK sends. Anthropic's own server gets the SDK's. Others get the
 * version of 2023, which is what they were written for, and an API key in both places where servers look for one: some
 * read only `x-api-key`, some only the Bearer token that the SDK sends. `null` takes a header of the SDK's away.
 */
export function headersFor(endpoint: Endpoint, authorization: Authorization): Record<string, string | null> {
  if (endpoint.isAnthropic) return {};
  const version = { 'anthropic-version': '2023-06-01' };
  switch (authorization.kind) {
    case 'apiKey':
      return { ...version, 'x-api-key': authorization.secret };
    case 'authToken':
      return version;
    case 'none':
      return { ...version, authorization: null };
  }
}

/** Which key at which server; the key itself cannot be told from it. */
export function laneOf(endpoint: Endpoint, authorization: Authorization | undefined): string {
  const server = endpoint.baseUrl.replace(/^https?:\/\//, '');
  if (!authorization || authorization.kind === 'none') return server;
  return `${server}#${sha256(authorization.secret).slice(0, 8)}`;
}
