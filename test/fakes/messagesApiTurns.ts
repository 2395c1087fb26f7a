import { errorBody, type Reply, type ReplyBlock } from '../../src/engines/scripted/wire';
import type { FakeTurn } from './messagesApi';

// The turns that tests write most often, in short words.

export function text(words: string): ReplyBlock {
  return { type: 'text', text: words };
}

/** A tool call. Without an id it gets one from its name and input, so that the same call looks the same. */
export function toolUse(name: string, input: unknown, id?: string): ReplyBlock {
  return toolUseRaw(name, JSON.stringify(input), id);
}

/** A tool call whose input is just that text, JSON or not. */
export function toolUseRaw(name: string, inputJson: string, id?: string): ReplyBlock {
  return { type: 'tool_use', id: id ?? `toolu_${name}_${hashOf(inputJson)}`, name, inputJson };
}

function hashOf(words: string): string {
  let hash = 0;
  for (const character of words) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash.toString(36);
}

/** A whole answer. Its stop reason is `tool_use` when there is a call in it and `end_turn` otherwise. */
export function reply(...content: readonly ReplyBlock[]): FakeTurn {
  return { kind: 'reply', reply: { content } };
}

export function says(words: string): FakeTurn {
  return reply(text(words));
}

export function calls(name: string, input: unknown, id?: string): FakeTurn {
  return reply(toolUse(name, input, id));
}

export function stopsWith(stopReason: string, ...content: readonly ReplyBlock[]): FakeTurn {
  return { kind: 'reply', reply: { content, stopReason } };
}

export function rateLimited(headers: Readonly<Record<string, string>> = {}): FakeTurn {
  return status(429, 'rate_limit_error', 'you are too fast', headers);
}

export function overloaded(): FakeTurn {
  return status(529, 'overloaded_error', 'Overloaded');
}

export function keyRefused(): FakeTurn {
  return status(401, 'authentication_error', 'invalid x-api-key');
}

export function badRequest(message = 'messages.0: wrong'): FakeTurn {
  return status(400, 'invalid_request_error', message);
}

export function status(
  code: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): FakeTurn {
  return { kind: 'status', status: code, body: errorBody(type, message), headers };
}

export const resetBeforeHeaders: FakeTurn = { kind: 'reset' };

type Then = Extract<FakeTurn, { kind: 'broken' }>['then'];

/** An answer that breaks after so many events. The first two are `message_start` and `ping`. */
export function broken(then: Then, afterEvents = 4, content: Reply['content'] = [text('Half of an ans')]): FakeTurn {
  return { kind: 'broken', reply: { content }, afterEvents, then };
}
