import { z } from 'zod';
import type { Clock } from '../../base/clock';
import { UserError } from '../../base/errors';
import { SourceUnreachableError } from '../../core/source';
import { urlOf } from './baseUrl';
import type { HttpAnswer, HttpRequest } from './httpExchange';
import { placeOf } from './httpExchange';
import { errorAnswerSchema } from './wire';

/** A server that asks for more than this is asked again all the same. */
const maxRetryAfterMs = 3_600_000;
const maxQuotedLength = 200;

/** The `Retry-After` of an answer, in seconds or as a date; `null` when there is none that can be understood. */
export function retryAfterMs(answer: HttpAnswer, clock: Clock): number | null {
  const text = answer.headers['retry-after']?.trim();
  if (!text) return null;
  // A date begins with the day of the week; `Date.parse` would find one in almost anything.
  const isDate = /^[a-z]{3,9}, /i.test(text);
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : isDate ? Date.parse(text) - clock.nowMs() : NaN;
  return Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), maxRetryAfterMs);
}

/** What the server says went wrong, on one short line and without the token, which it may have echoed. */
export function wordsOf(answer: HttpAnswer, token: string | null): string {
  const parsed = errorAnswerSchema.safeParse(parseJson(answer.body));
  if (!parsed.success) return '';
  const { error, message, detail } = parsed.data;
  const said = [error, message, detail].find((words) => typeof words === 'string' && words !== '');
  if (typeof said !== 'string') return '';
  const safe = token ? said.replaceAll(token, '…') : said;
  return safe
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, maxQuotedLength);
}

/**
 * The error that an answer other than a success stands for.
 * Refused keys are marked `retryable`: what waits to be told must not be given up because a key ran out.
 */
export function errorFor(request: HttpRequest, answer: HttpAnswer, clock: Clock, words: string): Error {
  const { status } = answer;
  const quoted = words ? ` It says: ${words}` : '';
  if (status === 401 || status === 403) {
    return new UserError(
      'source-key-refused',
      `${placeOf(request)} refuses the token (${status}). Set the token that it wants.${quoted}`,
      { status, retryable: true },
    );
  }
  if (status >= 300 && status < 400) return redirected(request, answer);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return new SourceUnreachableError(`${placeOf(request)} answers ${status}.${quoted}`, retryAfterMs(answer, clock));
  }
  return new UserError(
    'source-request-refused',
    `${placeOf(request)} answers ${status} to ${request.method}. Is this the address of a ZMemory server?${quoted}`,
    { status },
  );
}

function redirected(request: HttpRequest, answer: HttpAnswer): UserError {
  const target = urlOf(answer.headers.location ?? '', request.url);
  return new UserError(
    'source-moved',
    `${placeOf(request)} sends us on to ${target ? target.origin + target.pathname : 'nowhere'}. ` +
      'The token is not sent there. If that is your server, set its address.',
    { status: answer.status },
  );
}

/**
 * The JSON of a good answer, in the shape that is needed.
 * @throws {SourceUnreachableError} when it is something else: a proxy's page, half an answer.
 */
export function parseAnswer<T>(schema: z.ZodType<T>, request: HttpRequest, answer: HttpAnswer): T {
  const value = parseJson(answer.body);
  const kind = answer.headers['content-type'] ?? 'no content type';
  if (value === undefined) {
    throw new SourceUnreachableError(`${placeOf(request)} answers something that is not JSON (${kind.slice(0, 80)}).`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SourceUnreachableError(
    `${placeOf(request)} answers JSON of another shape: ${z.prettifyError(parsed.error).slice(0, maxQuotedLength)}`,
  );
}

/** `undefined` when it is no JSON. JSON itself has no such value. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
