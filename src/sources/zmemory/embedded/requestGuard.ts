import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { sha256 } from '../../../base/digest';
import { HttpError } from './httpError';

/**
 * Lets through what a program of this user sends, and nothing that a web page can make a browser send: its own `Host` (a
 * name that was rebound to loopback shows there) and no `Origin` at all.
 * @throws {HttpError} 403.
 */
export function guardRequest(request: IncomingMessage, port: number): void {
  const host = request.headers.host?.toLowerCase();
  if (!host || !['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${port}`)) {
    throw new HttpError(403, 'This server answers to its own loopback address only.');
  }
  if (request.headers.origin !== undefined) throw new HttpError(403, 'This server answers no web page.');
}

/** @throws {HttpError} 401. */
export function requireToken(request: IncomingMessage, token: string): void {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Digests, because the comparison in constant time wants equal lengths.
  if (timingSafeEqual(Buffer.from(sha256(given)), Buffer.from(sha256(token)))) return;
  throw new HttpError(401, 'The token is missing or wrong: send "Authorization: Bearer <token>".');
}
