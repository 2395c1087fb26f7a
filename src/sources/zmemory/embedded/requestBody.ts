import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { HttpError } from './httpError';

/**
 * The JSON body of a request, in the shape that the call wants.
 * @throws {HttpError} 400 when it is none, 413 when it is longer than `maxBytes`.
 */
export async function readBody<T>(request: IncomingMessage, schema: z.ZodType<T>, maxBytes: number): Promise<T> {
  const parsed = schema.safeParse(parse(await readText(request, maxBytes)));
  if (parsed.success) return parsed.data;
  throw new HttpError(400, `The body is not what this call wants: ${z.prettifyError(parsed.error).slice(0, 500)}`);
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLong = new HttpError(413, `The body is longer than ${maxBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLong;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not destroyed on the way out: the answer goes over the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong;
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new HttpError(400, 'The body is not UTF-8.');
  }
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new HttpError(400, 'The body is empty: this call wants JSON.');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : ''}`);
  }
}
